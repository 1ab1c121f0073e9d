#include "engine/exchange/request_rules.h"

#include "engine/base/strings.h"
#include "engine/exchange/trailer_guard.h"
#include "engine/http/field_names.h"

#include <algorithm>
#include <string_view>

namespace fairlead::exchange {
namespace {

using http::Field;
using http::Fields;
using http::Name;

// Of all Connection fields of a request; clients name one or two. Each is looked for among all fields.
constexpr std::size_t kMaxNominated = 100;

bool has_underscore(std::string_view name) { return name.find('_') != std::string_view::npos; }

Result<> refuse_underscore(std::string_view name) {
  if (!has_underscore(name)) return {};
  return fail(400, Fault::Client, "a header name with '_': " + quoted(name) + " (underscoreHeadersStrategy)");
}

Result<> underscore_rule(Exchange& x, UnderscoreHeaders strategy) {
  Fields& fields = x.request.fields;
  if (strategy == UnderscoreHeaders::Keep) return {};
  if (strategy == UnderscoreHeaders::Delete) {
    fields.remove_if([](const Field& line) { return has_underscore(line.name); });
    guard_trailers(x, has_underscore);
    return {};
  }
  for (const Field& line : fields)
    if (Result<> good = refuse_underscore(line.name); !good) return good;
  check_trailers(x, refuse_underscore);
  return {};
}

bool is_among(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::any_of(names, [name](std::string_view one) { return iequals(one, name); });
}

// What Connection names belongs to this hop (RFC 9110 §7.6.1) and goes before any middleware adds its own, so
// that no client can have those removed (CVE-2021-32813). Managed names are exempt (CVE-2024-45410). The line
// keeps only what it may still say when the request leaves. Trailers of these names go as well, those of
// `kept` included: no middleware sees them.
Result<> drop_nominated(Exchange& x, const std::vector<std::string>& kept) {
  Fields& fields = x.request.fields;
  if (!fields.may_have(http::name_bit(Name::Connection))) return {};
  std::vector<std::string_view> nominated;
  std::vector<std::string_view> no_trailers;
  std::size_t names = 0;
  for (Field& line : fields) {
    if (line.known != Name::Connection) continue;
    std::string left;
    bool changed = false;
    for (const std::string_view part : split(line.value, ',')) {
      if (++names > kMaxNominated) return fail(400, Fault::Client, "Connection names too many fields");
      const std::string_view name = trim(part);
      const bool option = iequals(name, "close") || iequals(name, "keep-alive") || iequals(name, "upgrade");
      const bool managed = !option && http::is_managed(name);
      if (!option && !name.empty()) no_trailers.push_back(name);
      if (option || (!managed && std::ranges::any_of(
                                     kept, [&](const std::string& keep) { return iequals(keep, name); }))) {
        left.append(left.empty() ? "" : ", ").append(name);
        continue;
      }
      changed = true;
      if (!name.empty() && !managed) nominated.push_back(name);
    }
    if (changed) line.value = fields.arena().copy(left);
  }
  fields.remove_if([](const Field& line) { return line.known == Name::Connection && line.value.empty(); });
  if (!no_trailers.empty())
    guard_trailers(x, [no_trailers](std::string_view name) { return is_among(no_trailers, name); });
  if (nominated.empty()) return {};
  fields.remove_if([&](const Field& line) {
    // Framing and routing fields are read already; nothing may make them vanish.
    if (line.known == Name::Host || line.known == Name::ContentLength ||
        line.known == Name::TransferEncoding || line.known == Name::Connection)
      return false;
    return is_among(nominated, line.name);
  });
  return {};
}

std::string_view forwarded_proto(const http::RequestHead& head) {
  const bool tls = head.scheme == "https";
  if (iequals(head.upgrade, "websocket")) return tls ? "wss" : "ws";
  return tls ? "https" : "http";
}

// `proto`: X-Forwarded-Proto as the server gets it. A trusted peer that took TLS off says it there.
std::string_view forwarded_port(const http::RequestHead& head, std::string_view proto) {
  const std::string_view authority = head.authority;
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos &&
      colon + 1 < authority.size())
    return authority.substr(colon + 1);
  return proto == "https" || proto == "wss" || head.scheme == "https" ? "443" : "80";
}

// addXForwardedSchemeHeaders: what other proxies call X-Forwarded-Proto. A trusted peer may have said it.
void scheme_fields(Fields& fields, bool trusted) {
  const std::string_view scheme = fields.get(Name::XForwardedProto);
  for (const std::string_view name : {"X-Forwarded-Scheme", "X-Scheme"}) {
    if (!trusted)
      fields.remove_if([name](const Field& line) { return http::same_header_folded(line.name, name); });
    if (fields.get(name).empty()) fields.set(name, scheme);
  }
}

// What a trusted peer may say in our place. As in Go, it has not said what it left empty.
constexpr std::uint64_t kToldByPeers = http::name_bits(
    Name::XForwardedFor, Name::XForwardedHost, Name::XForwardedPort, Name::XForwardedProto, Name::XRealIp);

// All values are views that live as long as the exchange: nothing is copied.
void forwarded_fields(Exchange& x, const EntryPoint& entry_point) {
  Fields& fields = x.request.fields;
  const ForwardedHeaders& options = entry_point.forwarded;
  const bool trusted =
      options.insecure || (!options.trusted.empty() && net::contains(options.trusted, x.client.ip));
  std::uint64_t present = 0;
  if (!trusted) {
    fields.remove_if([](const Field& line) { return http::is_managed(line); });
  } else {
    fields.remove_if([&](const Field& line) {
      return line.value.empty() && (http::name_bit(line.known) & kToldByPeers) != 0;
    });
    int for_lines = 0;
    for (const Field& line : fields) {
      present |= http::name_bit(line.known);
      for_lines += line.known == Name::XForwardedFor;
    }
    if (for_lines > 1) {
      const std::string_view joined = fields.joined(http::spelling(Name::XForwardedFor));
      fields.remove(Name::XForwardedFor);
      fields.append(http::spelling(Name::XForwardedFor), joined, Name::XForwardedFor);
    }
    fields.remove(Name::XForwardedServer);
    // The peer spells them as they are; another spelling passed it by, and a server may take it for the same.
    fields.remove_if(
        [](const Field& line) { return line.known == Name::Other && http::is_managed(line.name); });
  }
  const auto add = [&](Name name, std::string_view value) {
    if ((present & http::name_bit(name)) == 0) fields.append(http::spelling(name), value, name);
  };
  const std::string_view told = fields.get(Name::XForwardedProto);
  const std::string_view proto = told.empty() ? forwarded_proto(x.request) : told;
  if (!x.request.authority.empty()) add(Name::XForwardedHost, x.request.authority);
  add(Name::XForwardedPort, forwarded_port(x.request, proto));
  add(Name::XForwardedProto, proto);
  fields.append(http::spelling(Name::XForwardedServer), entry_point.server_name, Name::XForwardedServer);
  add(Name::XRealIp, x.client_ip);
  if (options.add_scheme) scheme_fields(fields, trusted);
  x.keep_forwarded_for = options.not_append_for;
}

// Some servers know these names by their bytes (RFC 6455 §11.3); HTTP/2 writes all in lower case.
void spell_websocket_fields(Fields& fields) {
  for (Field& line : fields)
    for (const std::string_view name :
         {"Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"})
      if (iequals(line.name, name)) line.name = name;
}

}  // namespace

Result<> apply_entry_rules(Exchange& x, const EntryPoint& entry_point) {
  http::RequestHead& head = x.request;
  if (Result<> underscores = underscore_rule(x, entry_point.underscores); !underscores) return underscores;
  const auto disguised = std::ranges::find_if(head.fields, [](const Field& line) {
    return line.known == Name::Other && http::is_disguised_framing(line.name);
  });
  if (disguised != head.fields.end())
    return fail(400, Fault::Client, "a framing field in disguise: " + quoted(disguised->name));
  if (Result<> canonical = http::canonicalize(head, entry_point.paths); !canonical) return canonical;
  if (Result<> dropped = drop_nominated(x, entry_point.forwarded.connection); !dropped) return dropped;
  forwarded_fields(x, entry_point);
  if (iequals(head.upgrade, "websocket")) spell_websocket_fields(head.fields);
  return {};
}

}  // namespace fairlead::exchange
