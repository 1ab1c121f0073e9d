#include "engine/codec/h2/response_block.h"

#include "engine/base/strings.h"
#include "engine/http/field_names.h"

#include <charconv>

namespace fairlead::codec::h2 {
namespace {

using http::Field;
using http::Name;

bool is_fit(const Field& line) {
  return (line.known != Name::Other || http::is_token(line.name)) && http::is_field_value(line.value);
}

}  // namespace

ResponseBlock& ResponseBlock::of_thread() {
  thread_local ResponseBlock block;
  return block;
}

void ResponseBlock::add(std::string_view name, std::string_view value) {
  // nghttp2 reads both and makes names lower-case in its own copy.
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  lines_.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
}

bool ResponseBlock::fill(const http::ResponseHead& head, int status, std::optional<std::uint64_t> length,
                         std::string_view date) {
  lines_.clear();
  if (status < 100 || status > 999) return false;
  std::to_chars(status_.data(), status_.data() + status_.size(), status);
  add(":status", {status_.data(), status_.size()});
  bool dated = date.empty();
  for (const Field& line : head.fields) {
    if (http::is_framing(line.known)) continue;
    // The answer to a key that the client never sent.
    if (head.status == 101 && iequals(line.name, "Sec-WebSocket-Accept")) continue;
    if (!is_fit(line)) return false;
    dated = dated || line.known == Name::Date;
    add(line.name, line.value);
  }
  if (!dated) add("date", date);
  if (length) {
    const auto end = std::to_chars(length_.data(), length_.data() + length_.size(), *length);
    add("content-length", {length_.data(), static_cast<std::size_t>(end.ptr - length_.data())});
  }
  return true;
}

bool ResponseBlock::fill_trailers(const http::Fields& trailers) {
  lines_.clear();
  for (const Field& line : trailers) {
    if (http::is_forbidden_trailer(line.name)) continue;
    if (!is_fit(line)) return false;
    add(line.name, line.value);
  }
  return true;
}

}  // namespace fairlead::codec::h2
