#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fairlead::udp {

// Written by one worker, so a step is a plain load and store; read by any thread.
class Counter {
 public:
  void add(std::uint64_t by = 1) { value_.store(get() + by, std::memory_order_relaxed); }
  void remove(std::uint64_t by = 1) { value_.store(get() - by, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// Why datagrams of clients went nowhere.
enum class Drop : std::uint8_t {
  Full,      // the entry point has all the sessions it may have
  Source,    // the client's address has
  NoServer,  // no router, no service, or no server that is ready
  Unsent,    // the kernel did not take it: its buffer is full
};
inline constexpr std::size_t kDrops = 4;

// What one worker counts at one entry point.
struct Counters {
  Counter sessions;  // open now
  Counter opened;
  Counter evicted;       // ended early to make room
  Counter refused;       // ICMP errors of servers
  Counter from_clients;  // datagrams
  Counter bytes_in;      // of them
  Counter to_clients;    // datagrams
  Counter bytes_out;     // of them
  std::array<Counter, kDrops> dropped;
};

}  // namespace fairlead::udp
