#pragma once

#include "engine/http/fields.h"

#include <string_view>

namespace fairlead::http {

// Field names are compared here as an origin may read them: without case, and with '_' and '.' taken for '-',
// as CGI and its descendants fold them. Whatever guards a name compares it this way.
constexpr char fold_name_byte(char c) { return c == '_' || c == '.' ? '-' : to_lower(c); }

// "X_Forwarded.for" and "X-Forwarded-For".
constexpr bool same_header_folded(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (fold_name_byte(a[i]) != fold_name_byte(b[i])) return false;
  return true;
}

// The fields that tell the origin about the client: X-Forwarded-{For,Host,Method,Port,Prefix,Proto,Server,
// Tls-Client-Cert,Tls-Client-Cert-Info,Uri} and X-Real-Ip, in every folded spelling. Only the engine and
// trusted peers may set them.
bool is_managed(std::string_view name);
bool is_managed(const Field& line);

// Content-Length, Transfer-Encoding or Host in a folded spelling only, such as "Content_Length": no honest
// sender writes it, and an origin that folds would read another message than we do.
bool is_disguised_framing(std::string_view name);

// Fields that speak about one hop's connection or framing: each codec writes its own.
constexpr bool is_framing(Name name) {
  switch (name) {
    case Name::Connection:
    case Name::ContentLength:
    case Name::KeepAlive:
    case Name::ProxyConnection:
    case Name::TransferEncoding:
    case Name::Upgrade: return true;
    default: return false;
  }
}

// Names that must not come in a trailer section (RFC 9110 §6.5.1): framing, routing, request modifiers,
// credentials, content processing, hop-by-hop and managed fields, and what commonly carries an identity
// (X-Forwarded-*, X-Auth-*, Remote-*, X-Remote-*, Proxy-*), in every folded spelling.
bool is_forbidden_trailer(std::string_view name);

}  // namespace fairlead::http
