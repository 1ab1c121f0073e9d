#include "engine/codec/h1/response_parser.h"

#include "engine/codec/h1/field_lines.h"
#include "engine/codec/h1/refuse.h"
#include "engine/codec/h1/scan.h"
#include "engine/codec/h1/transfer_coding.h"

#include <utility>

namespace fairlead::codec::h1 {
namespace {

using http::Field;
using http::Name;
using http::ResponseHead;

std::unexpected<Error> bad(std::string_view what, std::string_view all, std::string_view place) {
  return refuse(502, Fault::Upstream, what, static_cast<std::size_t>(place.data() - all.data()), place);
}

std::unexpected<Error> bad_line(std::string_view what, std::string_view bytes) {
  return bad(what, bytes, bytes.substr(0, bytes.find_first_of("\r\n")));
}

// RFC 9112 §4; the position behind the line.
Result<std::size_t> read_status_line(std::string_view bytes, ResponseHead& head) {
  // "HTTP/1.1 200" is followed by a space and the reason; the space is often left out where the reason is
  // empty.
  if (bytes.size() < 14 || !bytes.starts_with("HTTP/1.") || bytes[8] != ' ' ||
      (bytes[7] != '1' && bytes[7] != '0')) [[unlikely]]
    return bad_line("malformed status line", bytes);
  head.version = bytes[7] == '1' ? http::Version::Http11 : http::Version::Http10;
  if (!is_digit(bytes[9]) || !is_digit(bytes[10]) || !is_digit(bytes[11]) ||
      (bytes[12] != ' ' && bytes[12] != '\r')) [[unlikely]]
    return bad_line("malformed status", bytes);
  head.status = (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + (bytes[11] - '0');
  if (head.status < 100 || head.status > 599) [[unlikely]]
    return bad_line("status out of range", bytes);

  const std::size_t reason_at = bytes[12] == ' ' ? 13 : 12;
  const char* const reason = bytes.data() + reason_at;
  const char* const end = bytes.data() + bytes.size();
  const char* const reason_end = skip_value_bytes(reason, end);
  if (end - reason_end < 2 || reason_end[0] != '\r' || reason_end[1] != '\n') [[unlikely]]
    return bad_line("status line with a control byte or a bare line end", bytes);
  head.reason = {reason, static_cast<std::size_t>(reason_end - reason)};
  return reason_at + head.reason.size() + 2;
}

// RFC 9110 §8.6: equal values, in lines or in a list, count as one; anything else has no meaning.
Result<> settle_length(std::string_view bytes, const SeenNames& seen, ResponseHead& head) {
  Field* const first = head.fields.find(Name::ContentLength);
  if (!seen.repeats(Name::ContentLength)) {
    head.content_length = parse_digits(first->value);
    if (head.content_length) [[likely]]
      return {};
  }
  std::string_view one;
  for (const Field& line : head.fields) {
    if (line.known != Name::ContentLength) continue;
    for (std::string_view rest = line.value;;) {
      const auto comma = rest.find(',');
      const std::string_view value = trim(rest.substr(0, comma));
      const auto length = parse_digits(value);
      if (!length) return bad("invalid Content-Length", bytes, line.value);
      if (head.content_length && head.content_length != length)
        return bad("differing Content-Length", bytes, line.value);
      head.content_length = length;
      one = value;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  first->value = one;
  bool kept = false;
  head.fields.remove_if(
      [&](const Field& line) { return line.known == Name::ContentLength && std::exchange(kept, true); });
  return {};
}

bool connection_has(const ResponseHead& head, std::string_view token) {
  for (const Field& line : head.fields)
    if (line.known == Name::Connection && http::has_token(line.value, token)) return true;
  return false;
}

}  // namespace

Result<> parse_response_head(std::string_view bytes, const Limits& limits, std::string_view request_method,
                             ResponseHead& head, ResponseFacts* facts) {
  if (bytes.size() > limits.max_head_bytes) return fail(502, Fault::Upstream, "response head too long");
  const Result<std::size_t> fields_at = read_status_line(bytes, head);
  if (!fields_at) [[unlikely]]
    return std::unexpected(fields_at.error());
  SeenNames seen;
  if (auto read = parse_field_lines(bytes, *fields_at, limits.max_fields, Fault::Upstream, head.fields, seen);
      !read) [[unlikely]]
    return read;

  const bool http10 = head.version == http::Version::Http10;
  if (seen.has(Name::TransferEncoding)) {
    const std::string_view value = head.fields.get(Name::TransferEncoding);
    if (seen.has(Name::ContentLength)) return bad("both Transfer-Encoding and Content-Length", bytes, value);
    if (seen.repeats(Name::TransferEncoding) || read_transfer_coding(value) != TransferCoding::Chunked)
      return bad("Transfer-Encoding other than chunked", bytes, value);
    if (http10) return bad("Transfer-Encoding in HTTP/1.0", bytes, value);
    head.chunked = true;
  } else if (seen.has(Name::ContentLength)) {
    if (auto settled = settle_length(bytes, seen, head); !settled) return settled;
  }
  // RFC 9110 §7.8: an Upgrade that Connection does not name says nothing about this connection.
  if (head.status == 101 && seen.has(Name::Upgrade) && !seen.repeats(Name::Upgrade) &&
      connection_has(head, "upgrade"))
    head.upgrade = head.fields.get(Name::Upgrade);
  if (!facts) return {};

  // RFC 9112 §6.3, in its order.
  if (request_method == "HEAD" || http::never_has_content(head.status))
    facts->body = BodyKind::None;
  else if (head.chunked)
    facts->body = BodyKind::Chunked;
  else if (head.content_length)
    facts->body = *head.content_length == 0 ? BodyKind::None : BodyKind::Length;
  else
    facts->body = BodyKind::UntilClose;

  facts->keep_alive = http10 ? connection_has(head, "keep-alive") : true;
  if (seen.has(Name::Connection) && connection_has(head, "close")) facts->keep_alive = false;
  if (facts->body == BodyKind::UntilClose) facts->keep_alive = false;
  // RFC 9112 §6.1, RFC 9110 §8.6: 1xx and 204 must not announce a body. Whoever does may well send it.
  const bool announces = head.chunked || head.content_length.value_or(0) > 0;
  if (announces && head.status != 304 && http::never_has_content(head.status)) facts->keep_alive = false;
  return {};
}

}  // namespace fairlead::codec::h1
