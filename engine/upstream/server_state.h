#pragma once

#include "engine/base/clock.h"
#include "engine/upstream/server.h"
#include "engine/upstream/server_health.h"
#include "engine/upstream/sticky.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::upstream {

// Number of a service's ServerSet: given out by the control side, stable while the process lives.
using SetId = std::uint32_t;

// Where a server stands in its life, as its provider tells. Resting: paused or unhealthy, not used meanwhile.
enum class Phase : std::uint8_t { Starting, Ready, Resting, Draining, Gone };

// The last 100 times of one server, shared by all workers. Two workers that write at once may leave the sum
// off by one sample for a turn: it is an estimate.
class ResponseTimes {
 public:
  void add(Duration time) {
    const auto micros = static_cast<std::uint32_t>(std::min<std::int64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(time).count(), UINT32_MAX));
    const std::uint64_t turn = count_.fetch_add(1, std::memory_order_relaxed);
    const std::uint32_t old = samples_[turn % kSamples].exchange(micros, std::memory_order_relaxed);
    sum_.fetch_add(static_cast<std::int64_t>(micros) - static_cast<std::int64_t>(old),
                   std::memory_order_relaxed);
  }
  // Microseconds; 0 for a server that has answered nothing yet.
  double mean() const {
    const std::uint64_t count = std::min<std::uint64_t>(count_.load(std::memory_order_relaxed), kSamples);
    if (count == 0) return 0;
    return static_cast<double>(sum_.load(std::memory_order_relaxed)) / static_cast<double>(count);
  }

 private:
  static constexpr std::size_t kSamples = 100;
  std::array<std::atomic<std::uint32_t>, kSamples> samples_{};
  std::atomic<std::uint64_t> count_ = 0;
  std::atomic<std::int64_t> sum_ = 0;
};

// What all workers know of one server. Written by providers and health checks, read at every pick: relaxed
// atomics, because a pick that is a moment late is caught by the retry on the next server.
struct ServerState {
  std::atomic<Phase> phase = Phase::Ready;
  Health health;                             // by active and passive checks
  std::atomic<std::uint32_t> in_flight = 0;  // requests, for p2c and leasttime
  ResponseTimes response_times;              // to the response head, for leasttime

  bool usable() const { return phase.load(std::memory_order_relaxed) == Phase::Ready && health.good(); }
};

// What all workers know of one service.
struct ServiceState {
  std::atomic<std::uint64_t> position = 0;  // of the weight schedule
  std::atomic<std::uint32_t> held = 0;      // requests that wait for a successor
  std::atomic<std::int64_t> last_left{0};   // steady clock, ns: when the last usable server went; 0: never
  std::atomic<bool> had_usable = false;     // at the last change; written by the control thread
};

struct Server {
  ServerAddress address;
  int weight = 1;
  bool preserve_path = false;
  std::shared_ptr<ServerState> state;
  bool tls = false;  // of TCP services: speak TLS to it
};

// Why a service has no server for a request: what the 503, the log and the API say.
struct Obstacle {
  std::string short_text;  // the class: "starting", "stopped", "no shared network"
  std::string full_text;   // "container shop-1: app is on `blog_default`; …"
  bool transient = true;   // a Retry-After makes sense

  bool operator==(const Obstacle&) const = default;
};

// The servers of one service, as the current snapshot has them. Immutable; a swap replaces it whole.
struct ServerSet {
  std::string service;  // "shop@docker"
  std::vector<Server> servers;
  std::vector<std::uint16_t> schedule;  // indices into servers, each as often as its weight asks for
  std::vector<Obstacle> obstacles;
  std::shared_ptr<ServiceState> state;
  std::shared_ptr<const TransportOptions> transport;  // null: TCP, whose connections are never pooled
  std::shared_ptr<const Sticky> sticky;  // null: no affinity; its targets are the servers in order
  std::uint64_t sticky_hash = 0;         // of its options; 0: none
  bool holds = false;                    // container servers: requests may wait for a successor
  std::optional<SetId> successor;        // the one that all of its routers name now: who waits goes on there

  bool any_usable() const {
    for (const Server& server : servers)
      if (server.weight > 0 && server.state->usable()) return true;
    return false;
  }
};

// Smooth weighted schedule: weights divided by their greatest common divisor, at most 4,096 slots, servers
// interleaved by earliest deadline (1/weight apart), as Traefik's wrr orders them. Weight ≤ 0 never occurs.
std::vector<std::uint16_t> make_schedule(const std::vector<int>& weights);

// The next of a schedule that `takes` accepts; nothing when it accepts none. Whoever is passed over has had
// its turn: the position moves behind it, so that the others go on sharing by their weights.
template <class Takes>
std::optional<std::uint16_t> take_turn(std::atomic<std::uint64_t>& position,
                                       const std::vector<std::uint16_t>& schedule, const Takes& takes) {
  const std::size_t slots = schedule.size();
  if (slots == 0) return std::nullopt;
  const std::uint64_t start = position.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t step = 0; step < slots; ++step) {
    const std::uint16_t index = schedule[(start + step) % slots];
    if (!takes(index)) continue;
    if (step > 0) position.fetch_add(step, std::memory_order_relaxed);
    return index;
  }
  return std::nullopt;
}

}  // namespace fairlead::upstream
