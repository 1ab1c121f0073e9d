#include "engine/middleware/content_type.h"

#include "engine/middleware/mime_sniff.h"

#include <algorithm>
#include <utility>

namespace fairlead::middleware {
namespace {

// A body whose first chunk was read already. `first` lives as long as the exchange.
class PeekedBody final : public http::Body {
 public:
  PeekedBody(Result<http::Chunk> first, http::BodyPtr inner)
      : first_(std::move(first)), inner_(std::move(inner)) {}

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override {
    if (done_) return inner_->read(max_bytes);
    if (!first_ || first_->bytes.size() <= max_bytes) {
      done_ = true;
      return Task<Result<http::Chunk>>::ready(std::move(first_));
    }
    const http::Chunk part{first_->bytes.substr(0, max_bytes), false};
    first_->bytes.remove_prefix(max_bytes);
    return Task<Result<http::Chunk>>::ready(part);
  }
  std::optional<std::uint64_t> length() const override {
    const auto rest = inner_->length();
    if (!rest || done_ || !first_) return rest;
    return *rest + first_->bytes.size();
  }
  http::Fields* trailers() override { return inner_->trailers(); }

 private:
  Result<http::Chunk> first_;
  http::BodyPtr inner_;
  bool done_ = false;  // the first chunk was handed on
};

bool wants_guess(const exchange::Response& response) {
  const http::ResponseHead& head = response.head;
  return response.body && !response.body->tunnel() && !http::never_has_content(head.status) &&
         !head.fields.has(http::Name::ContentType) && !head.fields.has("Content-Encoding");
}

}  // namespace

Task<exchange::Response> ContentType::handle(exchange::Exchange& x, exchange::Next next) const {
  exchange::Response response = co_await next(x);
  if (!detects_ || !wants_guess(response)) co_return response;
  Result<http::Chunk> first = co_await response.body->read(kSniffBytes);
  if (first) {
    first->bytes = x.arena().copy(first->bytes);
    if (!first->bytes.empty())
      response.head.fields.add(http::Name::ContentType, sniff_content_type(first->bytes));
  }
  response.body = http::BodyPtr(new PeekedBody(std::move(first), std::move(response.body)));
  co_return response;
}

}  // namespace fairlead::middleware
