#include "acme/dns/propagation.h"

#include "acme/dns/resolver.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

namespace fairlead::acme::dns {
namespace {

constexpr std::size_t kMaxNameServers = 32;

Sight ask_for(const std::string& label, const std::string& server, const std::string& name,
              const std::string& value, bool recursive, const std::stop_token& stop) {
  const auto answer = ask_server(server, name, Type::TXT, recursive, stop);
  if (!answer) return {label, false, answer.error().detail};
  if (answer->rcode == kNxDomain) return {label, false, "no such name"};
  if (answer->rcode != kNoError) return {label, false, rcode_text(answer->rcode)};
  std::string others;
  for (const ResourceRecord& record : answer->answers) {
    if (!record.is(Type::TXT)) continue;
    const auto seen = txt_value(record);
    if (seen && *seen == value) return {label, true, "the record"};
    if (!others.empty()) others += ", ";
    others += seen ? fairlead::quoted(*seen) : "a broken record";
  }
  if (others.empty()) return {label, false, "no record"};
  return {label, false, fmt::format("another value: {}", others)};
}

std::string told(const std::vector<Sight>& sights) {
  std::string out;
  for (const Sight& sight : sights) {
    if (!out.empty()) out += "; ";
    out += fmt::format("{} shows {}", sight.server, sight.what);
  }
  return out;
}

}  // namespace

Propagation::Propagation(const model::DnsChallenge& options)
    : resolvers(options.resolvers),
      checks(!options.disable_propagation_check),
      delay(options.delay_before_check) {
  if (!options.propagation) return;
  checks = checks && !options.propagation->disable_checks;
  authoritative = !options.propagation->disable_ans_checks;
  recursive = options.propagation->require_all_rns;
  delay = std::max<Duration>(delay, options.propagation->delay_before_checks);
}

Result<std::vector<Sight>> look(const Propagation& how, const std::string& name, const std::string& value,
                                std::stop_token stop) {
  const Resolver resolver(how.resolvers, stop);
  std::vector<Sight> sights;
  if (how.recursive)
    for (const std::string& server : resolver.servers())
      sights.push_back(ask_for(fmt::format("resolver {}", server), server, name, value, true, stop));
  if (!how.authoritative) return sights;
  const auto zone = resolver.find_zone(name);
  if (!zone) return std::unexpected(zone.error());
  const auto found = resolver.ask(*zone, Type::NS);
  if (!found) return std::unexpected(found.error());
  std::set<std::string> hosts;
  for (const ResourceRecord& record : found->answers)
    if (record.is(Type::NS) && hosts.size() < kMaxNameServers) hosts.insert(record.target);
  if (hosts.empty()) return fail(502, Fault::Upstream, fmt::format("zone {} names no name servers", *zone));
  for (const std::string& host : hosts) {
    const std::vector<std::string> addresses = resolver.addresses(host);
    if (addresses.empty()) {
      sights.push_back({host, false, "no address, its name does not resolve"});
      continue;
    }
    // One address that answers speaks for its server: a machine without IPv6 must not wait for ever.
    std::optional<Sight> sight;
    for (const std::string& address : addresses) {
      const std::string server = endpoint(address, how.port);
      Sight one = ask_for(fmt::format("{} ({})", host, server), server, name, value, false, stop);
      if (!sight || one.shows) sight = std::move(one);
      if (sight->shows) break;
    }
    sights.push_back(std::move(*sight));
  }
  return sights;
}

Result<> wait_until_shown(const Propagation& how, const Timing& timing, const std::string& name,
                          const std::string& value, std::stop_token stop) {
  if (how.delay > Duration::zero() && !sleep_for(how.delay, stop)) return fail(503, Fault::Proxy, "stopped");
  if (!how.checks || (!how.authoritative && !how.recursive)) return {};
  const Clock& clock = SystemClock::instance();
  const TimePoint begun = clock.now();
  for (std::string last;;) {
    const auto sights = look(how, name, value, stop);
    if (stop.stop_requested()) return fail(503, Fault::Proxy, "stopped");
    if (sights && std::ranges::all_of(*sights, &Sight::shows)) {
      spdlog::info("DNS-01: TXT record of {} is seen after {} s: {}", name,
                   (clock.now() - begun) / std::chrono::seconds(1), told(*sights));
      return {};
    }
    std::string now = sights ? told(*sights) : sights.error().detail;
    if (clock.now() - begun >= timing.timeout)
      return fail(504, Fault::Upstream,
                  fmt::format("the TXT record of {} is not seen everywhere after {} s: {}", name,
                              timing.timeout / std::chrono::seconds(1), now));
    if (now != last) spdlog::info("DNS-01: waiting for the TXT record of {}: {}", name, now);
    last = std::move(now);
    if (!sleep_for(timing.interval, stop)) return fail(503, Fault::Proxy, "stopped");
  }
}

}  // namespace fairlead::acme::dns
