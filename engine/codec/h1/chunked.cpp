#include "engine/codec/h1/chunked.h"

#include "engine/base/arena.h"
#include "engine/codec/h1/field_lines.h"
#include "engine/codec/h1/head_bytes.h"
#include "engine/codec/h1/refuse.h"
#include "engine/http/field_names.h"

#include <algorithm>
#include <bit>

namespace fairlead::codec::h1 {
namespace {

bool is_token_byte(char c) { return http::is_token({&c, 1}); }
bool is_space(char c) { return c == ' ' || c == '\t'; }

// RFC 9110 §5.6.4: what may follow a backslash in a quoted string; without the backslash, also not '"' and
// '\\'.
bool is_quotable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

std::unexpected<Error> ChunkedDecoder::refuse(std::string_view what, std::string_view bytes,
                                              std::size_t at) const {
  return h1::refuse(fault_ == Fault::Client ? 400 : 502, fault_, what, at, bytes.substr(at, 16));
}

Result<ChunkedDecoder::Step> ChunkedDecoder::feed(std::string_view bytes) {
  constexpr std::string_view kEndAfterData = "\r\n0\r\n\r\n";
  std::size_t at = 0;
  while (at < bytes.size()) {
    const char byte = bytes[at];
    switch (state_) {
      case State::SizeStart:
      case State::Size:
        if (auto read = size_byte(bytes, at++); !read) return std::unexpected(read.error());
        break;
      case State::LineFeed:
        if (byte != '\n') return refuse("chunk size line that does not end in CRLF", bytes, at);
        state_ = left_ == 0 ? State::TrailerStart : State::Data;
        digits_ = 0;
        line_bytes_ = 0;
        ++at;
        break;
      case State::Data: {
        const std::size_t size = std::min<std::uint64_t>(left_, bytes.size() - at);
        Step step{at + size, bytes.substr(at, size), false};
        left_ -= size;
        if (left_ == 0) state_ = State::DataReturn;
        // A short body usually comes whole: its end is told together with its data.
        if (left_ == 0 && bytes.substr(step.consumed).starts_with(kEndAfterData)) {
          state_ = State::Done;
          step.consumed += kEndAfterData.size();
          step.done = true;
        }
        return step;
      }
      case State::DataReturn:
        if (byte != '\r') return refuse("chunk data that does not end in CRLF", bytes, at);
        state_ = State::DataFeed;
        ++at;
        break;
      case State::DataFeed:
        if (byte != '\n') return refuse("chunk data that does not end in CRLF", bytes, at);
        state_ = State::SizeStart;
        ++at;
        break;
      case State::TrailerStart:
        state_ = byte == '\r' ? State::TrailerFeed : State::Trailer;
        if (byte == '\r') ++at;
        break;
      case State::TrailerFeed:
        if (byte != '\n') return refuse("trailer section that does not end in CRLF", bytes, at);
        state_ = State::Done;
        return Step{at + 1, {}, true};
      case State::Trailer: {
        const auto used = trailer(bytes.substr(at));
        if (!used) return std::unexpected(used.error());
        return Step{at + *used, {}, state_ == State::Done};
      }
      case State::Done: return Step{at, {}, true};
      default:
        if (auto read = extension_byte(bytes, at++); !read) return std::unexpected(read.error());
        break;
    }
  }
  return Step{at, {}, state_ == State::Done};
}

// RFC 9112 §7.1: chunk-size = 1*HEXDIG, nothing before it and nothing but extensions after it.
Result<> ChunkedDecoder::size_byte(std::string_view bytes, std::size_t at) {
  const char byte = bytes[at];
  if (const int digit = hex_value(byte); digit >= 0) {
    if (digits_ == 16) return refuse("chunk size of more than 16 digits", bytes, at);
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    // The bound of Content-Length, so that sums of lengths fit in 64 bits with a sign.
    if (left_ >> 63 != 0) return refuse("chunk size too large", bytes, at);
    ++digits_;
    state_ = State::Size;
    return {};
  }
  if (state_ == State::SizeStart) return refuse("chunk size expected", bytes, at);
  if (byte == '\r')
    state_ = State::LineFeed;
  else if (byte == ';')
    state_ = State::ExtBeforeName;
  else if (is_space(byte))
    state_ = State::ExtBeforeSemicolon;
  else
    return refuse("byte that a chunk size may not hold", bytes, at);
  return {};
}

// RFC 9112 §7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
Result<> ChunkedDecoder::extension_byte(std::string_view bytes, std::size_t at) {
  const char byte = bytes[at];
  if (++line_bytes_ > kMaxChunkLineBytes) return refuse("chunk size line too long", bytes, at);
  if (++extension_bytes_ > kMaxChunkExtensionBytes) return refuse("too many chunk extensions", bytes, at);
  const auto go = [this](State next) {
    state_ = next;
    return Result<>{};
  };
  const bool may_end =
      state_ == State::ExtName || state_ == State::ExtToken || state_ == State::ExtAfterValue;
  if (may_end && byte == '\r') return go(State::LineFeed);
  switch (state_) {
    case State::ExtBeforeSemicolon:
      if (byte == ';') return go(State::ExtBeforeName);
      if (is_space(byte)) return {};
      break;
    case State::ExtBeforeName:
      if (is_token_byte(byte)) return go(State::ExtName);
      if (is_space(byte)) return {};
      break;
    case State::ExtName:
    case State::ExtAfterName:
      if (byte == '=') return go(State::ExtBeforeValue);
      if (byte == ';') return go(State::ExtBeforeName);
      if (is_space(byte)) return go(State::ExtAfterName);
      if (state_ == State::ExtName && is_token_byte(byte)) return {};
      break;
    case State::ExtBeforeValue:
      if (byte == '"') return go(State::ExtQuoted);
      if (is_token_byte(byte)) return go(State::ExtToken);
      if (is_space(byte)) return {};
      break;
    case State::ExtToken:
      if (is_token_byte(byte)) return {};
      [[fallthrough]];
    case State::ExtAfterValue:
      if (byte == ';') return go(State::ExtBeforeName);
      if (is_space(byte)) return go(State::ExtBeforeSemicolon);
      break;
    case State::ExtQuoted:
      if (byte == '"') return go(State::ExtAfterValue);
      if (byte == '\\') return go(State::ExtEscape);
      if (is_quotable(byte)) return {};
      break;
    case State::ExtEscape:
      if (is_quotable(byte)) return go(State::ExtQuoted);
      break;
    default: break;
  }
  return refuse("malformed chunk extension", bytes, at);
}

// Gathers the trailer section and reads it once it is whole; the bytes of `bytes` that belong to it.
Result<std::size_t> ChunkedDecoder::trailer(std::string_view bytes) {
  const std::size_t before = trailer_.size();
  trailer_.append(bytes.substr(0, kMaxTrailerBytes + 1 - before));
  const std::size_t end = find_head_end(trailer_, trailer_scanned_);
  if (end == kNoHead) {
    if (trailer_.size() > kMaxTrailerBytes) return refuse("trailer section too long", bytes, 0);
    return bytes.size();
  }
  trailer_.resize(end);
  Arena none;  // views into trailer_ take no room
  http::Fields lines(none);
  SeenNames seen;
  if (auto read = parse_field_lines(trailer_, 0, kMaxTrailerFields, fault_, lines, seen); !read)
    return std::unexpected(read.error());
  if (trailers_)
    for (const http::Field& line : lines)
      if (!http::is_forbidden_trailer(line.name)) trailers_->add(line.name, line.value);
  state_ = State::Done;
  return end - before;
}

char* write_chunk_head(char* to, std::uint64_t size) {
  int digit = (std::bit_width(size) + 3) / 4;
  while (digit-- > 0) *to++ = "0123456789abcdef"[(size >> (4 * digit)) & 15];
  *to++ = '\r';
  *to++ = '\n';
  return to;
}

bool append_last_chunk(std::string& out, const http::Fields& trailers) {
  for (const http::Field& line : trailers)
    if (!http::is_token(line.name) || !http::is_field_value(line.value)) return false;
  out += "0\r\n";
  for (const http::Field& line : trailers) {
    if (http::is_forbidden_trailer(line.name)) continue;
    out.append(line.name).append(": ").append(line.value).append("\r\n");
  }
  out += "\r\n";
  return true;
}

}  // namespace fairlead::codec::h1
