#pragma once

#include "acme/dns/provider.h"
#include "engine/model/resolvers.h"

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace fairlead::acme::dns {

// How a record is waited for: the options of dnsChallenge, deprecated spellings included.
struct Propagation {
  explicit Propagation(const model::DnsChallenge& options);

  std::vector<std::string> resolvers;  // host or host:port; none: the system's
  bool checks = true;
  bool authoritative = true;  // every name server of the zone must show the record
  bool recursive = false;     // so must every resolver
  Duration delay{0};          // before the first look
  std::uint16_t port = 53;    // of name servers
};

// What one server shows.
struct Sight {
  std::string server;  // "ns1.example.com (192.0.2.1:53)"
  bool shows = false;
  std::string what;  // "the record", "no record", "another value: …", "REFUSED", …
};

// What the servers show at this moment. The error: the zone or its name servers could not be found.
Result<std::vector<Sight>> look(const Propagation& how, const std::string& name, const std::string& value,
                                std::stop_token stop);

// Returns once all show the record, or an error that says what each of them showed last. What changes on the
// way is logged.
Result<> wait_until_shown(const Propagation& how, const Timing& timing, const std::string& name,
                          const std::string& value, std::stop_token stop);

}  // namespace fairlead::acme::dns
