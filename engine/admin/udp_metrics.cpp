#include "engine/admin/udp_metrics.h"

namespace fairlead::admin {
namespace {

using Label = std::pair<std::string_view, std::string_view>;

void family(observe::MetricWriter& out, std::string_view name, std::string_view help,
            const std::vector<UdpCounts>& counts, std::uint64_t UdpCounts::* value) {
  out.family(name, help, "counter");
  for (const UdpCounts& count : counts) {
    const Label labels[] = {{"entrypoint", count.entry_point}};
    out.sample(name, labels, count.*value);
  }
}

void both_ways(observe::MetricWriter& out, std::string_view name, std::string_view help,
               const std::vector<UdpCounts>& counts, std::uint64_t UdpCounts::* in,
               std::uint64_t UdpCounts::* back) {
  out.family(name, help, "counter");
  for (const UdpCounts& count : counts)
    for (const auto& [direction, value] : {std::pair{"in", in}, {"out", back}}) {
      const Label labels[] = {{"entrypoint", count.entry_point}, {"direction", direction}};
      out.sample(name, labels, count.*value);
    }
}

}  // namespace

void write_udp(observe::MetricWriter& out, const std::vector<UdpCounts>& counts) {
  if (counts.empty()) return;
  family(out, "fairlead_udp_sessions_total", "UDP sessions begun, by entry point.", counts,
         &UdpCounts::opened);
  family(out, "fairlead_udp_evicted_total", "UDP sessions ended early to make room for others.", counts,
         &UdpCounts::evicted);
  family(out, "fairlead_udp_refused_total", "ICMP errors of UDP servers.", counts, &UdpCounts::refused);
  both_ways(out, "fairlead_udp_datagrams_total", "Datagrams from clients (in) and to them (out).", counts,
            &UdpCounts::datagrams_in, &UdpCounts::datagrams_out);
  both_ways(out, "fairlead_udp_bytes_total", "Bytes of these datagrams.", counts, &UdpCounts::bytes_in,
            &UdpCounts::bytes_out);
  out.family("fairlead_udp_dropped_total", "Datagrams that went nowhere, by reason.", "counter");
  for (const UdpCounts& count : counts)
    for (const auto& [reason, dropped] : count.dropped) {
      const Label labels[] = {{"entrypoint", count.entry_point}, {"reason", reason}};
      out.sample("fairlead_udp_dropped_total", labels, dropped);
    }
}

}  // namespace fairlead::admin
