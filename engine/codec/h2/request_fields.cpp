#include "engine/codec/h2/request_fields.h"

#include "engine/base/strings.h"
#include "engine/codec/h1/chunked.h"
#include "engine/codec/h1/scan.h"
#include "engine/codec/h2/websocket.h"
#include "engine/codec/tells_length.h"
#include "engine/http/field_names.h"
#include "engine/http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace fairlead::codec::h2 {
namespace {

using http::Field;
using http::Name;

constexpr std::size_t kLineOverhead = 32;  // RFC 9113 §6.5.2

std::unexpected<Error> malformed(std::string_view what, std::string_view shown = {}) {
  return fail(
      400, Fault::Client,
      shown.empty() ? fmt::format("HTTP/2: {}", what) : fmt::format("HTTP/2: {}: {}", what, quoted(shown)));
}

// Bytes of a field name: 0 none; those that an origin may fold to '-' are told apart.
enum : std::uint8_t { kPlain = 1, kFoldable = 2 };

constexpr std::array<std::uint8_t, 256> make_name_bytes() {
  std::array<std::uint8_t, 256> out{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-^`|~"))
    out[static_cast<unsigned char>(c)] = kPlain;
  out['_'] = out['.'] = kFoldable;
  return out;
}
constexpr std::array<std::uint8_t, 256> kNameBytes = make_name_bytes();

bool is_value(std::string_view value) {
  const char* const end = value.data() + value.size();
  return h1::skip_value_bytes(value.data(), end) == end;
}

bool is_space(char c) { return c == ' ' || c == '\t'; }

// What any section demands of a line (RFC 9113 §8.2.1).
Result<> check_line(std::string_view name, std::string_view value) {
  unsigned classes = 0;
  for (const char c : name) {
    const unsigned byte_class = kNameBytes[static_cast<unsigned char>(c)];
    if (byte_class == 0) [[unlikely]]
      return malformed(
          c >= 'A' && c <= 'Z' ? "upper case in a field name" : "byte that a field name may not hold", name);
    classes |= byte_class;
  }
  if (name.empty()) [[unlikely]]
    return malformed("empty field name");
  if ((classes & kFoldable) != 0 && http::is_disguised_framing(name)) [[unlikely]]
    return malformed("framing field in disguise", name);
  // The value may be a secret: only the name is shown.
  if (!is_value(value)) [[unlikely]]
    return malformed("control byte in the value of", name);
  if (!value.empty() && (is_space(value.front()) || is_space(value.back()))) [[unlikely]]
    return malformed("white space around the value of", name);
  return {};
}

}  // namespace

Result<> RequestFields::add(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + kLineOverhead;
  if (bytes_ > limits_.max_head_bytes) [[unlikely]]
    return fail(431, Fault::Client, "HTTP/2: the head is larger than maxHeaderBytes");
  if (name.starts_with(':')) return pseudo(name, value);
  if (++lines_ > limits_.max_fields) [[unlikely]]
    return fail(431, Fault::Client, fmt::format("HTTP/2: more than {} fields", limits_.max_fields));
  return line(name, value);
}

Result<> RequestFields::pseudo(std::string_view name, std::string_view value) {
  // RFC 9113 §8.3: all of them come before all fields.
  if (lines_ > 0) return malformed("pseudo-header field after a field", name);
  const auto take = [&](std::uint8_t which) {
    const bool first = (pseudo_ & which) == 0;
    pseudo_ |= which;
    return first;
  };
  Arena& arena = head_.arena();
  bool first = true;
  if (name == ":method") {
    first = take(kMethod);
    if (value.size() > h1::kMaxMethodBytes) return fail(501, Fault::Client, "HTTP/2: method too long");
    if (!http::is_token(value)) return malformed("malformed :method", value);
    head_.method = arena.copy(value);
  } else if (name == ":scheme") {
    first = take(kScheme);
    if (!iequals(value, "http") && !iequals(value, "https")) return malformed("unknown :scheme", value);
    scheme_ = value.size() == 4 ? "http" : "https";
  } else if (name == ":authority") {
    first = take(kAuthority);
    // RFC 9113 §8.3.1: no userinfo; and nothing else that could be read as another host.
    if (const auto user_end = value.rfind('@'); user_end != std::string_view::npos)
      return malformed("user name in :authority", value.substr(user_end));  // never the password
    if (!http::parse_authority(value)) return malformed("invalid :authority", value);
    head_.authority = arena.copy(value);
  } else if (name == ":path") {
    first = take(kPath);
    if (value.size() > limits_.max_target) return fail(414, Fault::Client, "HTTP/2: request target too long");
    head_.target = arena.copy(value);
  } else if (name == ":protocol") {
    first = take(kProtocol);
    if (!http::is_token(value)) return malformed("malformed :protocol", value);
    protocol_ = arena.copy(value);
  } else {
    return malformed("unknown pseudo-header field", name);
  }
  if (!first) return malformed("pseudo-header field that came before", name);
  return {};
}

Result<> RequestFields::line(std::string_view name, std::string_view value) {
  if (Result<> checked = check_line(name, value); !checked) [[unlikely]]
    return checked;
  const Name known = http::known_name(name);
  switch (known) {
    case Name::Connection:
    case Name::KeepAlive:
    case Name::ProxyConnection:
    case Name::TransferEncoding:
    case Name::Upgrade:
      // RFC 9113 §8.2.2.
      return malformed("field of a connection", name);
    case Name::Te:
      if (!iequals(value, "trailers")) return malformed("TE other than trailers", value);
      break;
    default: break;
  }
  const std::uint64_t bit = http::name_bit(known);
  seen_.again |= seen_.once & bit;
  seen_.once |= bit;
  Arena& arena = head_.arena();
  if (known != Name::Other) {
    head_.fields.append(http::spelling(known), arena.copy(value), known);
    return {};
  }
  char* const to = arena.take(name.size() + value.size());
  std::ranges::copy(value, std::ranges::copy(name, to).out);
  head_.fields.append({to, name.size()}, {to + name.size(), value.size()}, known);
  return {};
}

Result<> RequestFields::finish(bool ends) {
  head_.version = http::Version::Http2;
  // RFC 9113 §8.3.1, RFC 8441 §4: CONNECT has an authority only, unless :protocol makes it an extended one.
  if ((pseudo_ & kMethod) == 0) return malformed("no :method");
  const bool connect = head_.method == "CONNECT";
  if ((pseudo_ & kProtocol) != 0 && !connect) return malformed(":protocol without CONNECT", protocol_);
  if (connect && (pseudo_ & kProtocol) == 0) {
    if ((pseudo_ & (kScheme | kPath)) != 0) return malformed(":scheme or :path with CONNECT");
    if ((pseudo_ & kAuthority) == 0) return malformed("CONNECT without :authority");
    // We open no tunnels for whoever asks, as over HTTP/1.
    return fail(501, Fault::Client, "HTTP/2: CONNECT is not supported");
  }
  if ((pseudo_ & kScheme) == 0) return malformed("no :scheme");
  if ((pseudo_ & kPath) == 0) return malformed("no :path");
  if (Result<> settled = settle_target(); !settled) return settled;
  if (Result<> settled = settle_host(); !settled) return settled;
  if (Result<> settled = settle_body(ends); !settled) return settled;
  if (connect)
    if (Result<> settled = settle_connect(ends); !settled) return settled;
  if (seen_.has(Name::Expect))
    if (Result<> settled = settle_expectation(ends); !settled) return settled;
  if (seen_.repeats(Name::Cookie)) join_cookies();
  return {};
}

Result<> RequestFields::settle_target() {
  const std::string_view target = head_.target;
  const char* const end = target.data() + target.size();
  // Spaces, controls and '#' would cut the request line of HTTP/1 (RFC 9113 §8.3.1, §10.3).
  if (h1::skip_target_bytes(target.data(), end) != end)
    return malformed("byte that :path may not hold", target);
  if (target == "*") {
    if (head_.method != "OPTIONS") return malformed(":path * without OPTIONS");
    head_.path = "*";
    return {};
  }
  if (!target.starts_with('/')) return malformed("malformed :path", target);
  const auto query = target.find('?');
  head_.path = target.substr(0, query);
  head_.has_query = query != std::string_view::npos;
  if (head_.has_query) head_.query = target.substr(query + 1);
  return {};
}

Result<> RequestFields::settle_host() {
  if (seen_.repeats(Name::Host)) return malformed("more than one host");
  const Field* host = seen_.has(Name::Host) ? head_.fields.find(Name::Host) : nullptr;
  if (!host) {
    if (head_.authority.empty()) return malformed("neither :authority nor host");
    head_.fields.append(http::spelling(Name::Host), head_.authority, Name::Host);
    return {};
  }
  if (!http::parse_authority(host->value)) return malformed("invalid host", host->value);
  // RFC 9113 §8.3.1: two names for one thing must not differ.
  if (head_.authority.empty())
    head_.authority = host->value;
  else if (!iequals(host->value, head_.authority))
    return malformed("host differs from :authority", host->value);
  return {};
}

Result<> RequestFields::settle_body(bool ends) {
  if (seen_.repeats(Name::ContentLength)) return malformed("more than one content-length");
  if (seen_.has(Name::ContentLength)) {
    const std::string_view value = head_.fields.get(Name::ContentLength);
    head_.content_length = parse_digits(value);
    if (!head_.content_length) return malformed("invalid content-length", value);
    // RFC 9113 §8.1.1.
    if (ends && *head_.content_length != 0) return malformed("content-length without a body", value);
  } else if (!ends) {
    head_.chunked = true;
  } else if (tells_length(head_.method)) {
    head_.content_length = 0;
  }
  return {};
}

Result<> RequestFields::settle_expectation(bool ends) {
  for (const Field& line : head_.fields)
    if (line.known == Name::Expect && !iequals(line.value, "100-continue"))
      return fail(417, Fault::Client, "HTTP/2: expectation not supported");
  head_.expects_continue = !ends && head_.has_body();
  if (!head_.expects_continue) head_.fields.remove(Name::Expect);
  return {};
}

// RFC 8441: from here on it looks like the GET that HTTP/1.1 would have had.
Result<> RequestFields::settle_connect(bool ends) {
  if (protocol_ != "websocket") return fail(501, Fault::Client, "HTTP/2: :protocol other than websocket");
  if (ends || seen_.has(Name::ContentLength))
    return malformed("a tunnel with a body, or without an open stream");
  head_.method = "GET";
  head_.chunked = false;
  head_.upgrade = "websocket";
  http::Fields& fields = head_.fields;
  // Rules and middlewares look at these; they stay on this hop, as those of HTTP/1.1 do.
  fields.append(http::spelling(Name::Connection), "Upgrade", Name::Connection);
  fields.append(http::spelling(Name::Upgrade), head_.upgrade, Name::Upgrade);
  fields.remove("Sec-WebSocket-Key");
  fields.append("Sec-WebSocket-Key", new_websocket_key(head_.arena()), Name::Other);
  if (!fields.has("Sec-WebSocket-Version")) fields.append("Sec-WebSocket-Version", "13", Name::Other);
  return {};
}

// RFC 9113 §8.2.3: one field before it leaves HTTP/2.
void RequestFields::join_cookies() {
  constexpr std::string_view kBetween = "; ";
  std::size_t size = 0;
  for (const Field& line : head_.fields)
    if (line.known == Name::Cookie) size += line.value.size() + kBetween.size();
  char* const text = head_.arena().take(size);
  char* at = text;
  for (const Field& line : head_.fields) {
    if (line.known != Name::Cookie) continue;
    at = std::ranges::copy(line.value, at).out;
    at = std::ranges::copy(kBetween, at).out;
  }
  head_.fields.find(Name::Cookie)->value = {text, size - kBetween.size()};
  bool first = true;
  head_.fields.remove_if(
      [&](const Field& line) { return line.known == Name::Cookie && !std::exchange(first, false); });
}

Result<> TrailerFields::add(std::string_view name, std::string_view value) {
  if (name.starts_with(':')) return malformed("pseudo-header field in a trailer section", name);
  bytes_ += name.size() + value.size() + kLineOverhead;
  if (bytes_ > h1::kMaxTrailerBytes || ++lines_ > h1::kMaxTrailerFields)
    return malformed("trailer section too long");
  if (Result<> checked = check_line(name, value); !checked) return checked;
  if (!http::is_forbidden_trailer(name)) fields_.add(name, value);
  return {};
}

}  // namespace fairlead::codec::h2
