#pragma once

#include "engine/exchange/service.h"
#include "engine/service/forward.h"
#include "engine/service/picker.h"
#include "engine/upstream/pools.h"

#include <memory>
#include <string>

namespace fairlead::service {

// Requests held while a service has no server but a successor is likely (hold.*).
struct HoldOptions {
  std::uint32_t requests = 1000;              // per service; 0 switches holding off
  Duration time = std::chrono::seconds(10);   // each request at most
  Duration after = std::chrono::seconds(15);  // since the last server left
};

// Takes a server out after failures of real requests.
struct PassiveCheck {
  Duration window{};
  std::size_t max_failed = 0;  // within the window; 0: no such check
};

struct LoadBalancerOptions {
  std::string name;  // "shop@docker"
  upstream::SetId set = 0;
  ForwardOptions forward;
  HoldOptions hold;
  PassiveCheck passive;
};

// The servers of a service: picks one, forwards, and goes on to the next one as long as no server can have
// acted upon the request.
class LoadBalancer final : public exchange::Service {
 public:
  LoadBalancer(LoadBalancerOptions options, std::unique_ptr<const Picker> picker)
      : options_(std::move(options)), picker_(std::move(picker)) {}

  Task<exchange::Response> serve(exchange::Exchange& x) const override;

 private:
  Task<bool> hold(exchange::Exchange& x, TimePoint until, upstream::SetId& set) const;
  // `refusal`: what the last server said that was tried, if any was.
  exchange::Response unavailable(exchange::Exchange& x, const upstream::ServerSet* set,
                                 const Error* refusal) const;
  static exchange::Response failed(exchange::Exchange& x, TimePoint begun, Error error);
  void note_failure(exchange::Exchange& x, upstream::ServerState& server, std::string_view why) const;

  LoadBalancerOptions options_;
  std::unique_ptr<const Picker> picker_;
};

}  // namespace fairlead::service
