#include "engine/codec/h2/client_head.h"

#include "engine/base/strings.h"
#include "engine/codec/h1/scan.h"

namespace fairlead::codec::h2 {
namespace {

using http::Field;
using http::Name;

bool is_target(std::string_view text) {
  const char* end = text.data() + text.size();
  return h1::skip_target_bytes(text.data(), end) == end;
}

}  // namespace

bool travels(const Field& line) {
  switch (line.known) {
    case Name::Connection:
    case Name::ContentLength:  // the framing's
    case Name::Host:           // :authority
    case Name::KeepAlive:
    case Name::ProxyConnection:
    case Name::TransferEncoding:
    case Name::Upgrade: return false;
    case Name::Te: return iequals(line.value, "trailers");
    default: return true;
  }
}

bool is_fit(const Field& line) { return http::is_token(line.name) && http::is_field_value(line.value); }

void RequestBlock::add(std::string_view name, std::string_view value) {
  // nghttp2 copies both, and lowers the name's case. It only reads them.
  lines_.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
}

Result<> RequestBlock::fill(const http::RequestHead& head, std::string_view scheme, std::string_view host,
                            std::optional<std::uint64_t> length) {
  lines_.clear();
  if (!head.has_query) {
    path_.assign(head.path);
  } else {
    path_.assign(head.path).append("?").append(head.query);
  }
  bool fit = http::is_token(head.method) && is_target(path_) && http::is_field_value(host);
  fit = fit && (path_.starts_with('/') || path_ == "*");
  add(":method", head.method);
  add(":scheme", scheme);
  if (!host.empty()) add(":authority", host);
  add(":path", path_);
  for (const Field& line : head.fields) {
    if (!travels(line)) continue;
    fit = fit && is_fit(line);
    add(line.name, line.value);
  }
  if (length) {
    length_ = std::to_string(*length);
    add("content-length", length_);
  }
  if (!fit) return fail(500, Fault::Proxy, "a request field holds bytes that a field may not hold");
  return {};
}

}  // namespace fairlead::codec::h2
