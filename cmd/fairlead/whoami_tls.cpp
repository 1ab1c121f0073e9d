#include "cmd/fairlead/whoami_tls.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fairlead::cmd {

std::expected<tls::ContextPtr, std::string> make_whoami_context(const WhoamiTls& options) {
  tls::ContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) return std::unexpected(tls::openssl_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Of a file that cannot be read OpenSSL only says "system lib".
  for (const std::string& path : {options.cert, options.key, options.ca_cert})
    if (!path.empty() && ::access(path.c_str(), R_OK) != 0)
      return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  const auto failed = [](const std::string& path) {
    return std::unexpected(fmt::format("{}: {}", path, tls::openssl_error()));
  };
  if (SSL_CTX_use_certificate_chain_file(context.get(), options.cert.c_str()) != 1)
    return failed(options.cert);
  if (SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return failed(options.key);
  if (options.ca_cert.empty()) return context;
  if (SSL_CTX_load_verify_locations(context.get(), options.ca_cert.c_str(), nullptr) != 1)
    return failed(options.ca_cert);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // Sessions of clients with certificates are resumed only under one name
  // (SSL_CTX_set_session_id_context(3)).
  constexpr unsigned char kSessions[] = "whoami";
  SSL_CTX_set_session_id_context(context.get(), kSessions, sizeof kSessions - 1);
  return context;
}

}  // namespace fairlead::cmd
