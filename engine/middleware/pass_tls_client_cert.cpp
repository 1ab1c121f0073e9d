#include "engine/middleware/pass_tls_client_cert.h"

#include "engine/http/field_names.h"
#include "engine/http/url.h"
#include "engine/middleware/certificate_info.h"

namespace fairlead::middleware {
namespace {

// Go's url.QueryEscape: unreserved bytes stay, a space is '+'.
std::string query_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ')
      out += '+';
    else if (http::url_byte(c) & http::kUnreserved)
      out += c;
    else
      http::append_escape(out, c);
  }
  return out;
}

void set(http::Fields& fields, http::Name name, std::string_view value) {
  fields.remove_if(
      [&](const http::Field& line) { return http::same_header_folded(line.name, http::spelling(name)); });
  fields.add(name, value);
}

}  // namespace

std::optional<exchange::Response> PassTlsClientCert::on_request(exchange::Exchange& x) const {
  if (!x.tls || x.tls->client_chain_pem.empty()) return std::nullopt;
  if (options_.pem)
    set(x.request.fields, http::Name::XForwardedTlsClientCert, bare_certificates(x.tls->client_chain_pem));
  if (options_.info)
    set(x.request.fields, http::Name::XForwardedTlsClientCertInfo,
        query_escaped(certificate_info(x.tls->client_chain_pem, *options_.info)));
  return std::nullopt;
}

}  // namespace fairlead::middleware
