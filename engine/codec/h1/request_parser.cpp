#include "engine/codec/h1/request_parser.h"

#include "engine/codec/h1/field_lines.h"
#include "engine/codec/h1/refuse.h"
#include "engine/codec/h1/scan.h"
#include "engine/codec/h1/transfer_coding.h"
#include "engine/codec/tells_length.h"
#include "engine/http/url.h"

#include <cstring>

namespace fairlead::codec::h1 {
namespace {

using http::Field;
using http::Name;
using http::RequestHead;

std::unexpected<Error> bad(std::string_view what, std::string_view all, std::string_view place,
                           int status = 400) {
  return refuse(status, Fault::Client, what, static_cast<std::size_t>(place.data() - all.data()), place);
}

// The line up to its end or the end of the bytes: what an error about the request line shows.
std::string_view line_from(std::string_view bytes, std::size_t at) {
  return bytes.substr(at, bytes.find_first_of("\r\n", at) - at);
}

// "HTTP/1.1" and its CRLF at `at`.
Result<> read_version(std::string_view bytes, std::size_t at, RequestHead& head) {
  const std::string_view text = bytes.substr(at, 10);
  if (text == "HTTP/1.1\r\n") {
    head.version = http::Version::Http11;
    return {};
  }
  if (text == "HTTP/1.0\r\n") {
    head.version = http::Version::Http10;
    return {};
  }
  const std::string_view line = line_from(bytes, at);
  if (line.size() == 8 && line.starts_with("HTTP/") && is_digit(line[5]) && line[6] == '.' &&
      is_digit(line[7])) {
    if (line == "HTTP/1.1" || line == "HTTP/1.0")
      return bad("line end other than CRLF", bytes, bytes.substr(at + 8, 2));
    return bad("HTTP version not supported", bytes, line, 505);
  }
  return bad("malformed HTTP version", bytes, line);
}

// Method, target and version (RFC 9112 §3); the position behind the line.
Result<std::size_t> read_request_line(std::string_view bytes, const Limits& limits, RequestHead& head) {
  const std::size_t method_end = bytes.find(' ');
  const std::string_view method = bytes.substr(0, method_end);
  if (method_end > kMaxMethodBytes) [[unlikely]] {
    if (http::is_token(bytes.substr(0, kMaxMethodBytes + 1)))
      return bad("method too long", bytes, bytes.substr(0, kMaxMethodBytes), 501);
    return bad("malformed request line", bytes, line_from(bytes, 0));
  }
  if (!http::is_token(method)) [[unlikely]]
    return bad("malformed method", bytes, line_from(bytes, 0));
  head.method = method;

  const char* const begin = bytes.data() + method_end + 1;
  const char* const end = skip_target_bytes(begin, bytes.data() + bytes.size());
  head.target = {begin, static_cast<std::size_t>(end - begin)};
  const std::size_t target_end = method_end + 1 + head.target.size();
  if (head.target.size() > limits.max_target) [[unlikely]]
    return bad("request target too long", bytes, head.target, 414);
  if (target_end == bytes.size() || *end != ' ') [[unlikely]] {
    // A line without a version is HTTP/0.9, which has no place behind a router.
    if (target_end < bytes.size() && *end == '#') return bad("fragment in the target", bytes, head.target);
    return bad("malformed request target", bytes, line_from(bytes, method_end + 1));
  }
  if (const Result<> version = read_version(bytes, target_end + 1, head); !version) [[unlikely]]
    return std::unexpected(version.error());
  return target_end + sizeof(" HTTP/1.1\r\n") - 1;
}

// RFC 9112 §3.2: which host is meant. Leaves it in head.authority and, for an absolute target, in the Host
// field.
Result<> settle_host(std::string_view bytes, const SeenNames& seen, const http::Target& target,
                     RequestHead& head) {
  Field* const host = seen.has(Name::Host) ? head.fields.find(Name::Host) : nullptr;
  if (seen.repeats(Name::Host)) return bad("more than one Host", bytes, host->value);
  if (!host && head.version != http::Version::Http10) return bad("no Host", bytes, head.target);
  if (host) {
    // RFC 9110 §4.2.1: an http URI without a host is invalid, so an empty Host names nothing we could serve.
    if (const auto user_end = host->value.rfind('@'); user_end != std::string_view::npos)
      return bad("user name in Host", bytes, host->value.substr(user_end));  // never the password
    if (!http::parse_authority(host->value)) return bad("invalid Host", bytes, host->value);
    head.authority = host->value;
  }
  if (target.form != http::TargetForm::Absolute) return {};

  if (!http::parse_authority(target.authority))
    return bad("invalid authority in the target", bytes, head.target);
  // RFC 9112 §3.2.2: the target wins over Host, for us and for the origin.
  head.authority = target.authority;
  if (host)
    host->value = target.authority;
  else
    head.fields.append(http::spelling(Name::Host), target.authority, Name::Host);
  return {};
}

Result<> settle_target(std::string_view bytes, const SeenNames& seen, RequestHead& head) {
  // RFC 9110 §9.3.6: we open no tunnels for whoever asks.
  if (head.method == "CONNECT") return bad("CONNECT is not supported", bytes, head.target, 501);
  const auto target = http::split_target(head.target);
  if (!target) return bad("malformed request target", bytes, head.target);
  const bool options = head.method == "OPTIONS";
  if (target->form == http::TargetForm::Asterisk && !options)
    return bad("target * without OPTIONS", bytes, head.target);
  // RFC 9112 §3.2.4: OPTIONS for an absolute target without path asks about the server as a whole.
  const bool whole_server = options && !target->has_query;
  head.path = target->path.empty() ? std::string_view(whole_server ? "*" : "/") : target->path;
  head.query = target->query;
  head.has_query = target->has_query;
  return settle_host(bytes, seen, *target, head);
}

// Where the body ends (RFC 9112 §6). Anything that two readers could understand differently is refused.
Result<> settle_framing(std::string_view bytes, const SeenNames& seen, RequestHead& head) {
  if (seen.has(Name::TransferEncoding)) {
    const std::string_view value = head.fields.get(Name::TransferEncoding);
    if (seen.repeats(Name::TransferEncoding)) return bad("more than one Transfer-Encoding", bytes, value);
    if (seen.has(Name::ContentLength))
      return bad("both Transfer-Encoding and Content-Length", bytes, head.fields.get(Name::ContentLength));
    // RFC 9112 §6.1: such a request was made or changed by somebody who does not know what it means.
    if (head.version == http::Version::Http10) return bad("Transfer-Encoding in HTTP/1.0", bytes, value);
    switch (read_transfer_coding(value)) {
      case TransferCoding::Chunked: break;
      case TransferCoding::Unknown: return bad("transfer coding not supported", bytes, value, 501);
      case TransferCoding::Malformed: return bad("malformed Transfer-Encoding", bytes, value);
    }
    head.chunked = true;
    return {};
  }
  if (seen.has(Name::ContentLength)) {
    const std::string_view value = head.fields.get(Name::ContentLength);
    // RFC 9110 §8.6 allows equal repeated values; no honest client sends them.
    if (seen.repeats(Name::ContentLength)) return bad("more than one Content-Length", bytes, value);
    head.content_length = parse_digits(value);
    if (!head.content_length) return bad("invalid Content-Length", bytes, value);
  } else if (tells_length(head.method)) {
    head.content_length = 0;
  }
  return {};
}

Result<> settle_expectation(std::string_view bytes, RequestHead& head) {
  for (const Field& line : head.fields)
    if (line.known == Name::Expect && !iequals(line.value, "100-continue"))
      return bad("expectation not supported", bytes, line.value, 417);
  // RFC 9110 §10.1.1: void in HTTP/1.0 and without content. It is taken out, so that the origin, which is
  // spoken to in HTTP/1.1, does not act on it either.
  head.expects_continue = head.version != http::Version::Http10 && head.has_body();
  if (!head.expects_continue) head.fields.remove(Name::Expect);
  return {};
}

bool connection_has(const RequestHead& head, std::string_view token) {
  for (const Field& line : head.fields)
    if (line.known == Name::Connection && http::has_token(line.value, token)) return true;
  return false;
}

// "websocket", "foo/1" (RFC 9110 §7.8).
bool is_protocol(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return http::is_token(text);
  return http::is_token(text.substr(0, slash)) && http::is_token(text.substr(slash + 1));
}

// The protocol of an upgrade that may be passed on; empty otherwise.
std::string_view accepted_upgrade(const SeenNames& seen, const RequestHead& head) {
  if (head.version == http::Version::Http10 || seen.repeats(Name::Upgrade) || head.has_body()) return {};
  const std::string_view value = head.fields.get(Name::Upgrade);
  // h2c would make the connection a raw tunnel past every rule; so would its drafts, "h2c-14".
  if (!is_protocol(value) || istarts_with(value, "h2c")) return {};
  return connection_has(head, "upgrade") ? value : std::string_view{};
}

}  // namespace

Result<> parse_request_head(std::string_view bytes, const Limits& limits, RequestHead& head,
                            RequestFacts* facts) {
  if (bytes.size() > limits.max_head_bytes) [[unlikely]]
    return fail(431, Fault::Client, "request head too long");
  const Result<std::size_t> fields_at = read_request_line(bytes, limits, head);
  if (!fields_at) [[unlikely]]
    return std::unexpected(fields_at.error());
  SeenNames seen;
  if (auto read = parse_field_lines(bytes, *fields_at, limits.max_fields, Fault::Client, head.fields, seen);
      !read) [[unlikely]]
    return read;
  if (auto settled = settle_target(bytes, seen, head); !settled) [[unlikely]]
    return settled;
  if (auto settled = settle_framing(bytes, seen, head); !settled) [[unlikely]]
    return settled;
  if (seen.has(Name::Expect))
    if (auto settled = settle_expectation(bytes, head); !settled) return settled;
  if (seen.has(Name::Upgrade)) head.upgrade = accepted_upgrade(seen, head);
  if (facts) {
    facts->keep_alive = head.version != http::Version::Http10;
    if (seen.has(Name::Connection)) {
      if (head.version == http::Version::Http10) facts->keep_alive = connection_has(head, "keep-alive");
      if (connection_has(head, "close")) facts->keep_alive = false;
    }
  }
  return {};
}

}  // namespace fairlead::codec::h1
