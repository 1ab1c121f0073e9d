#include "acme/solver_tls_alpn01.h"

#include "acme/encoding.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

namespace fairlead::acme {
namespace {

std::string server_name(const Authorization& authorization) {
  return authorization.is_address ? reverse_name(authorization.name) : authorization.name;
}

}  // namespace

std::string reverse_name(const std::string& address) {
  std::array<unsigned char, 16> bytes;
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1)
    return fmt::format("{}.{}.{}.{}.in-addr.arpa", bytes[3], bytes[2], bytes[1], bytes[0]);
  if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return {};
  std::string out;
  for (std::size_t i = bytes.size(); i-- > 0;) out += fmt::format("{:x}.{:x}.", bytes[i] & 15, bytes[i] >> 4);
  return out + "ip6.arpa";
}

Result<> TlsAlpn01Solver::present(const Authorization& authorization, const std::string& key_authorization,
                                  std::stop_token) {
  table_.answer_tls_alpn(server_name(authorization), authorization.name, sha256(key_authorization));
  return {};
}

Result<> TlsAlpn01Solver::wait_until_visible(const Authorization&, const std::string&, std::stop_token stop) {
  if (delay_ > delay_.zero()) sleep_for(delay_, stop);
  return {};
}

Result<> TlsAlpn01Solver::clean_up(const Authorization& authorization, const std::string&) {
  table_.forget_tls_alpn(server_name(authorization));
  return {};
}

}  // namespace fairlead::acme
