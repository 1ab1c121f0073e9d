#include "engine/routing/subject.h"

#include "engine/base/strings.h"

namespace fairlead::routing {
namespace {

// RFC 3986 §2.2 gen-delims and sub-delims, and the percent sign itself.
constexpr std::string_view kReserved = ":/?#[]@!$&'()*+,;=%";

// The byte that the escape at the front of `text` stands for; -1 when it is none.
int escaped_byte(std::string_view text) {
  if (text.size() < 3) return -1;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace

std::string_view matching_path(std::string_view path, std::string& buffer) {
  std::size_t at = path.find('%');
  if (at == path.npos) return path;
  buffer.assign(path.substr(0, at));
  while (at < path.size()) {
    const int byte = path[at] == '%' ? escaped_byte(path.substr(at)) : -1;
    if (byte < 0) {
      buffer += path[at++];
      continue;
    }
    if (kReserved.find(static_cast<char>(byte)) == kReserved.npos) {
      buffer += static_cast<char>(byte);
    } else {
      buffer += '%';
      buffer += to_upper(path[at + 1]);
      buffer += to_upper(path[at + 2]);
    }
    at += 3;
  }
  return buffer;
}

namespace detail {

bool next_query_part(std::string_view& query, QueryPart& part) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view text = query.substr(0, end);
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
    if (text.empty() || text.find(';') != text.npos) continue;
    const std::size_t equals = text.find('=');
    part.key = text.substr(0, equals);
    part.value = equals == text.npos ? std::string_view{} : text.substr(equals + 1);
    return true;
  }
  return false;
}

bool decode_query(std::string_view text, std::string& buffer, std::string_view& out) {
  std::size_t at = text.find_first_of("%+");
  if (at == text.npos) {
    out = text;
    return true;
  }
  buffer.assign(text.substr(0, at));
  while (at < text.size()) {
    if (text[at] != '%') {
      buffer += text[at] == '+' ? ' ' : text[at];
      ++at;
      continue;
    }
    const int byte = escaped_byte(text.substr(at));
    if (byte < 0) return false;
    buffer += static_cast<char>(byte);
    at += 3;
  }
  out = buffer;
  return true;
}

}  // namespace detail
}  // namespace fairlead::routing
