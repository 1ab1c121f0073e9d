#include "engine/middleware/in_flight_req.h"

#include <utility>

namespace fairlead::middleware {
namespace {

// Holds a request's place until the last byte was taken from the body.
class CountedBody final : public http::Body {
 public:
  CountedBody(http::BodyPtr inner, std::shared_ptr<InFlightCounts> counts, InFlightCounts::Place place)
      : counts_(std::move(counts)), place_(std::move(place)), inner_(std::move(inner)) {}

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override {
    Result<http::Chunk> chunk = co_await inner_->read(max_bytes);
    if (!chunk || chunk->last) place_.release();
    co_return chunk;
  }
  std::optional<std::uint64_t> length() const override { return inner_->length(); }
  bool tunnel() const override { return inner_->tunnel(); }
  http::Fields* trailers() override { return inner_->trailers(); }

 private:
  const std::shared_ptr<InFlightCounts> counts_;  // a snapshot may go before its last body does
  InFlightCounts::Place place_;
  http::BodyPtr inner_;
};

}  // namespace

Configured<std::shared_ptr<const InFlightReq>> InFlightReq::make(const Options& options, Making& making) {
  auto source = Source::make(options.source_criterion, Source::Kind::Host);
  if (!source) return std::unexpected(source.error());
  return std::make_shared<const InFlightReq>(
      making.name, options.amount, std::move(*source),
      making.carry_over.get<InFlightCounts>(making.name, making.options_hash));
}

Task<exchange::Response> InFlightReq::handle(exchange::Exchange& x, exchange::Next next) const {
  const std::string_view counted = x.arena().join(next.owner(x), std::string_view("\n"), source_.of(x));
  std::optional<InFlightCounts::Place> place = counts_->enter(counted, amount_);
  if (!place) {
    co_return exchange::failure(
        x, Error{429, Fault::Client, false, "inFlightReq: too many requests of one source in flight"});
  }
  exchange::Response response = co_await next(x);
  if (response.body) {
    response.body = http::BodyPtr(new CountedBody(std::move(response.body), counts_, std::move(*place)));
  }
  co_return response;
}

}  // namespace fairlead::middleware
