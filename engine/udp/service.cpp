#include "engine/udp/service.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::udp {
namespace {

constexpr Duration kRest = std::chrono::seconds(1);  // after a refusal

std::vector<int> weights_of(const std::vector<Weighted::Child>& children) {
  std::vector<int> weights;
  for (const Weighted::Child& child : children) weights.push_back(child.weight);
  return weights;
}

bool rests(const ServerState& state, TimePoint now) {
  const std::int64_t refused_at = state.refused_at.load(std::memory_order_relaxed);
  return refused_at != 0 && now.time_since_epoch().count() - refused_at < kRest.count();
}

}  // namespace

Configured<Server> Server::parse(std::string_view address) {
  const auto refuse = [&](std::string_view why) {
    return misconfigured("address", fmt::format("{} in {}", why, quoted(address)));
  };
  Server server;
  server.address = address;
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return refuse("no port");
  const auto port = parse_digits(address.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return refuse("no valid port");
  server.port = static_cast<std::uint16_t>(*port);
  std::string_view host = address.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  server.host = host;
  server.ip = net::Ip::parse(host);
  if (host.empty()) return refuse("no host");
  if (host.find_first_of(":[]") != std::string_view::npos && (!bracketed || !server.ip))
    return refuse("no valid host");
  return server;
}

LoadBalancer::LoadBalancer(std::vector<ServerPtr> servers, std::shared_ptr<upstream::ServiceState> state,
                           std::string trouble)
    : servers_(std::move(servers)), state_(std::move(state)), trouble_(std::move(trouble)) {}

ServerPtr LoadBalancer::pick(Tried tried, TimePoint now) const {
  const std::size_t count = servers_.size();
  if (count == 0) return nullptr;
  const std::uint64_t start = state_->position.fetch_add(1, std::memory_order_relaxed);
  ServerPtr resting;
  for (std::size_t step = 0; step < count; ++step) {
    const ServerPtr& server = servers_[(start + step) % count];
    if (server->state->phase.load(std::memory_order_relaxed) != upstream::Phase::Ready) continue;
    const auto same = [&](const ServerPtr& other) { return other->state == server->state; };
    if (std::ranges::any_of(tried, same)) continue;
    if (!rests(*server->state, now)) return server;
    if (!resting) resting = server;
  }
  return resting;
}

Weighted::Weighted(std::vector<Child> children, std::shared_ptr<upstream::ServiceState> state)
    : children_(std::move(children)),
      state_(std::move(state)),
      schedule_(upstream::make_schedule(weights_of(children_))) {}

ServerPtr Weighted::pick(Tried tried, TimePoint now) const {
  const std::size_t slots = schedule_.size();
  if (slots == 0) return nullptr;
  const std::uint64_t start = state_->position.fetch_add(1, std::memory_order_relaxed);
  // A long schedule names the same child many times: each is asked once.
  std::vector<bool> asked(children_.size());
  for (std::size_t step = 0; step < slots; ++step) {
    const std::uint16_t index = schedule_[(start + step) % slots];
    if (asked[index]) continue;
    asked[index] = true;
    if (ServerPtr server = children_[index].service->pick(tried, now)) return server;
  }
  return nullptr;
}

std::string Weighted::trouble() const {
  if (schedule_.empty()) return "no child service has a weight";
  for (const Child& child : children_)
    if (std::string why = child.service->trouble(); !why.empty()) return why;
  return {};
}

}  // namespace fairlead::udp
