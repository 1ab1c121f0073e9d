#include "engine/tcp/in_flight_conn.h"

#include "engine/tcp/registry.h"

#include <fmt/format.h>

#include <utility>

namespace fairlead::tcp {
namespace {

class PlaceHeld final : public Hold {
 public:
  PlaceHeld(std::shared_ptr<middleware::InFlightCounts> counts, middleware::InFlightCounts::Place place)
      : counts_(std::move(counts)), place_(std::move(place)) {}

 private:
  const std::shared_ptr<middleware::InFlightCounts> counts_;  // a snapshot may go before its connections do
  middleware::InFlightCounts::Place place_;
};

}  // namespace

Configured<std::shared_ptr<const InFlightConn>> InFlightConn::make(const Options& options, Making& making) {
  return std::make_shared<const InFlightConn>(
      options.amount,
      making.carry_over.get<middleware::InFlightCounts>(making.name + "@tcp", making.options_hash));
}

Result<> InFlightConn::admit(std::string_view router, const net::Address& client, Holds& holds) const {
  auto place = counts_->enter(fmt::format("{}\n{}", router, client.ip.text()), amount_);
  if (!place)
    return fail(429, Fault::Client,
                fmt::format("{} connections of {} are open already", amount_, client.ip.text()));
  holds.push_back(std::make_unique<PlaceHeld>(counts_, std::move(*place)));
  return {};
}

}  // namespace fairlead::tcp
