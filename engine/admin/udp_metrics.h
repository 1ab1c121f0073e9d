#pragma once

#include "engine/observe/exposition.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::admin {

// What a UDP entry point counted since the start, all workers together.
struct UdpCounts {
  std::string entry_point;
  std::uint64_t open = 0;  // sessions now
  std::uint64_t opened = 0;
  std::uint64_t evicted = 0;
  std::uint64_t refused = 0;
  std::uint64_t datagrams_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t datagrams_out = 0;
  std::uint64_t bytes_out = 0;
  std::map<std::string, std::uint64_t> dropped;  // by reason
};

// The families fairlead_udp_*.
void write_udp(observe::MetricWriter& out, const std::vector<UdpCounts>& counts);

}  // namespace fairlead::admin
