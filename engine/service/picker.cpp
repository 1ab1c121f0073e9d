#include "engine/service/picker.h"

#include "engine/service/rendezvous.h"

#include <array>
#include <limits>
#include <random>

namespace fairlead::service {
namespace {

using exchange::Exchange;
using upstream::Server;
using upstream::ServerSet;

// Weighted round robin over the compiled schedule: one shared position, so that all workers together
// alternate.
class RoundRobin final : public Picker {
 public:
  int pick(const ServerSet& set, Exchange&, const Tried& tried) const override {
    const auto index = upstream::take_turn(set.state->position, set.schedule, [&](std::uint16_t at) {
      return can_take(set.servers[at], tried);
    });
    return index ? *index : kNoServer;
  }
};

// Two random servers, the one with fewer requests in flight; weights do not count.
class TwoChoices final : public Picker {
 public:
  int pick(const ServerSet& set, Exchange&, const Tried& tried) const override {
    thread_local std::minstd_rand random(std::random_device{}());
    const int first = draw(set, tried, kNoServer, random);
    if (first == kNoServer) return kNoServer;
    const int second = draw(set, tried, first, random);
    if (second == kNoServer) return first;
    return in_flight(set, second) < in_flight(set, first) ? second : first;
  }

 private:
  static std::uint32_t in_flight(const ServerSet& set, int index) {
    return set.servers[static_cast<std::size_t>(index)].state->in_flight.load(std::memory_order_relaxed);
  }
  // A random one of those that can be taken. After so many misses few are well, and the first from a random
  // place on has to do: in constant time while most are.
  static constexpr int kDraws = 16;
  static int draw(const ServerSet& set, const Tried& tried, int besides, std::minstd_rand& random) {
    const std::size_t count = set.servers.size();
    if (count == 0) return kNoServer;
    const auto eligible = [&](std::size_t index) {
      return static_cast<int>(index) != besides && can_take(set.servers[index], tried);
    };
    std::size_t start = random() % count;
    for (int draws = 1; draws < kDraws && !eligible(start); ++draws) start = random() % count;
    for (std::size_t step = 0; step < count; ++step) {
      const std::size_t index = (start + step) % count;
      if (eligible(index)) return static_cast<int>(index);
    }
    return kNoServer;
  }
};

// Highest random weight: a client stays with its server, and when one leaves only its own clients move.
class RendezvousHash final : public Picker {
 public:
  int pick(const ServerSet& set, Exchange& x, const Tried& tried) const override {
    RendezvousDraw draw;
    const std::uint64_t seed = fnv1a(x.client_ip);
    const std::size_t count = set.servers.size();
    for (std::size_t i = 0; i < count;) {
      std::array<std::size_t, 4> indices{};
      std::array<std::string_view, 4> urls;
      std::size_t gathered = 0;
      for (; i < count && gathered < 4; ++i) {
        if (set.servers[i].weight <= 0 || !can_take(set.servers[i], tried)) continue;
        indices[gathered] = i;
        urls[gathered++] = set.servers[i].address.url;
      }
      const auto hashes = hash_four(urls, seed);
      for (std::size_t at = 0; at < gathered; ++at)
        draw.offer(static_cast<int>(indices[at]), hashes[at], set.servers[indices[at]].weight);
    }
    return draw.best();
  }
};

// Lowest mean time to the response head, times what is in flight, by weight; equals take turns as in the
// round robin.
class LeastTime final : public Picker {
 public:
  int pick(const ServerSet& set, Exchange&, const Tried& tried) const override {
    const std::size_t slots = set.schedule.size();
    if (slots == 0) return kNoServer;
    const std::size_t first =
        set.schedule[set.state->position.fetch_add(1, std::memory_order_relaxed) % slots];
    const std::size_t count = set.servers.size();
    int best = kNoServer;
    double best_score = std::numeric_limits<double>::infinity();
    for (std::size_t step = 0; step < count; ++step) {
      const std::size_t index = (first + step) % count;
      const Server& server = set.servers[index];
      if (server.weight <= 0 || !can_take(server, tried)) continue;
      const double score = server.state->response_times.mean() *
                           (1.0 + server.state->in_flight.load(std::memory_order_relaxed)) / server.weight;
      if (score < best_score) {
        best_score = score;
        best = static_cast<int>(index);
      }
    }
    return best;
  }
};

}  // namespace

std::unique_ptr<const Picker> make_picker(std::string_view strategy) {
  if (strategy.empty() || strategy == "wrr") return std::make_unique<RoundRobin>();
  if (strategy == "p2c") return std::make_unique<TwoChoices>();
  if (strategy == "hrw") return std::make_unique<RendezvousHash>();
  if (strategy == "leasttime") return std::make_unique<LeastTime>();
  return nullptr;
}

}  // namespace fairlead::service
