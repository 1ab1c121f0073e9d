#include "engine/middleware/trailer_guard.h"

#include "engine/http/field_names.h"

namespace fairlead::middleware {
namespace {

class Guarded final : public http::Body {
 public:
  Guarded(http::BodyPtr inner, std::function<bool(std::string_view)> decides)
      : inner_(std::move(inner)), decides_(std::move(decides)) {}

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override { return inner_->read(max_bytes); }
  std::optional<std::uint64_t> length() const override { return inner_->length(); }
  http::Fields* trailers() override {
    http::Fields* const fields = inner_->trailers();
    if (fields) fields->remove_if([this](const http::Field& line) { return decides_(line.name); });
    return fields;
  }

 private:
  http::BodyPtr inner_;
  std::function<bool(std::string_view)> decides_;
};

// HTTP/1 has trailers only behind chunks (RFC 9112 §7.1.2), later versions behind any body.
bool may_have_trailers(const exchange::Exchange& x) {
  return x.body && !x.body->tunnel() && (x.request.chunked || x.request.version > http::Version::Http11);
}

}  // namespace

void guard_trailers(exchange::Exchange& x, std::function<bool(std::string_view name)> decides) {
  if (may_have_trailers(x)) x.body = http::BodyPtr(new Guarded(std::move(x.body), std::move(decides)));
}

void guard_trailers(exchange::Exchange& x, std::string_view name) {
  if (may_have_trailers(x))
    guard_trailers(x, [name](std::string_view other) { return http::same_header_folded(other, name); });
}

}  // namespace fairlead::middleware
