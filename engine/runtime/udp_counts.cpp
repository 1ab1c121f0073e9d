#include "engine/runtime/udp_counts.h"

#include <array>

namespace fairlead::runtime {
namespace {

// In the order of udp::Drop.
constexpr std::array<const char*, udp::kDrops> kReasons = {"full", "source", "no server", "unsent"};

}  // namespace

std::vector<admin::UdpCounts> UdpCounts::by_entry_point() const {
  const std::lock_guard lock(mutex_);
  std::vector<admin::UdpCounts> out;
  for (const auto& [key, counters] : counters_) {
    if (out.empty() || out.back().entry_point != key.first) {
      out.emplace_back().entry_point = key.first;
      for (const char* reason : kReasons) out.back().dropped[reason] = 0;
    }
    admin::UdpCounts& sum = out.back();
    sum.open += counters->sessions.get();
    sum.opened += counters->opened.get();
    sum.evicted += counters->evicted.get();
    sum.refused += counters->refused.get();
    sum.datagrams_in += counters->from_clients.get();
    sum.bytes_in += counters->bytes_in.get();
    sum.datagrams_out += counters->to_clients.get();
    sum.bytes_out += counters->bytes_out.get();
    for (std::size_t i = 0; i < kReasons.size(); ++i) sum.dropped[kReasons[i]] += counters->dropped[i].get();
  }
  return out;
}

}  // namespace fairlead::runtime
