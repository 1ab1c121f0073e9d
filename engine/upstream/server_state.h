#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/upstream/server.h"

namespace fairlead::upstream {

// Where a server stands in its life, as its provider tells.
enum class Phase : std::uint8_t { Starting, Ready, Draining, Gone };

// What all workers know of one server. Written by providers and health checks, read at every pick: relaxed
// atomics, because a pick that is a moment late is caught by the retry on the next server.
struct ServerState {
  std::atomic<Phase> phase = Phase::Ready;
  std::atomic<bool> healthy = true;            // active and passive checks
  std::atomic<std::uint32_t> in_flight = 0;    // requests, for p2c and leasttime
  std::atomic<std::int64_t> ttfb_ns = 0;       // moving average of the time to the response head

  bool usable() const {
    return phase.load(std::memory_order_relaxed) == Phase::Ready && healthy.load(std::memory_order_relaxed);
  }
};

// What all workers know of one service.
struct ServiceState {
  std::atomic<std::uint64_t> position = 0;     // of the weight schedule
  std::atomic<std::uint32_t> held = 0;         // requests that wait for a successor
  std::atomic<std::int64_t> last_left{0};      // steady clock, ns: when the last usable server went; 0: never
  std::atomic<bool> had_usable = false;        // at the last change; written by the control thread
};

struct Server {
  ServerAddress address;
  int weight = 1;
  bool preserve_path = false;
  std::shared_ptr<ServerState> state;
};

// Why a service has no server for a request: what the 503, the log and the API say.
struct Obstacle {
  std::string short_text;   // the class: "starting", "stopped", "no shared network"
  std::string full_text;    // "container shop-1: app is on `blog_default`; …"
  bool transient = true;    // a Retry-After makes sense
};

// The servers of one service, as the current snapshot has them. Immutable; a swap replaces it whole.
struct ServerSet {
  std::string service;                         // "shop@docker"
  std::vector<Server> servers;
  std::vector<std::uint16_t> schedule;         // indices into servers, each as often as its weight asks for
  std::vector<Obstacle> obstacles;
  std::shared_ptr<ServiceState> state;
  std::shared_ptr<const TransportOptions> transport;
  bool holds = false;                          // container servers: requests may wait for a successor

  bool any_usable() const {
    for (const Server& server : servers)
      if (server.weight > 0 && server.state->usable()) return true;
    return false;
  }
};

// Smooth weighted schedule: weights divided by their greatest common divisor, at most 4,096 slots, servers
// interleaved by earliest deadline (1/weight apart), as Traefik's wrr orders them. Weight ≤ 0 never occurs.
std::vector<std::uint16_t> make_schedule(const std::vector<int>& weights);

}  // namespace fairlead::upstream
