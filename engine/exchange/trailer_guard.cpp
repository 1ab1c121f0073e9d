#include "engine/exchange/trailer_guard.h"

#include "engine/http/field_names.h"

namespace fairlead::exchange {
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

class Checked final : public http::Body {
 public:
  Checked(http::BodyPtr inner, std::function<Result<>(std::string_view)> check)
      : inner_(std::move(inner)), check_(std::move(check)) {}

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override {
    Task<Result<http::Chunk>> chunk = inner_->read(max_bytes);
    if (!chunk.done()) return check_later(std::move(chunk));
    return Task<Result<http::Chunk>>::ready(checked(chunk.take()));
  }
  std::optional<std::uint64_t> length() const override { return inner_->length(); }
  http::Fields* trailers() override { return inner_->trailers(); }

 private:
  Task<Result<http::Chunk>> check_later(Task<Result<http::Chunk>> pending) {
    co_return checked(co_await std::move(pending));
  }
  Result<http::Chunk> checked(Result<http::Chunk> chunk) {
    const http::Fields* const fields = chunk && chunk->last ? inner_->trailers() : nullptr;
    if (!fields) return chunk;
    for (const http::Field& line : *fields)
      if (Result<> good = check_(line.name); !good) return std::unexpected(std::move(good.error()));
    return chunk;
  }

  http::BodyPtr inner_;
  std::function<Result<>(std::string_view)> check_;
};

// HTTP/1 has trailers only behind chunks (RFC 9112 §7.1.2), later versions behind any body.
bool may_have_trailers(const Exchange& x) {
  return x.body && !x.body->tunnel() && (x.request.chunked || x.request.version > http::Version::Http11);
}

}  // namespace

void guard_trailers(Exchange& x, std::function<bool(std::string_view name)> decides) {
  if (may_have_trailers(x)) x.body = http::BodyPtr(new Guarded(std::move(x.body), std::move(decides)));
}

void guard_trailers(Exchange& x, std::string_view name) {
  if (may_have_trailers(x))
    guard_trailers(x, [name](std::string_view other) { return http::same_header_folded(other, name); });
}

void check_trailers(Exchange& x, std::function<Result<>(std::string_view name)> check) {
  if (may_have_trailers(x)) x.body = http::BodyPtr(new Checked(std::move(x.body), std::move(check)));
}

}  // namespace fairlead::exchange
