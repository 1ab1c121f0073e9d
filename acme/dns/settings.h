#pragma once

#include "acme/dns/provider.h"
#include "acme/solver.h"
#include "engine/base/result.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace fairlead::acme::dns {

// Reads the environment of one provider, as lego names its variables: NAME, or NAME_FILE with the name of a
// file whose contents are the value.
class Settings {
 public:
  // `prefix`: of the variables that every provider has, "CLOUDFLARE_".
  Settings(std::string provider, std::string prefix, const Environment& environment);

  // The first of `names` that is set; empty when none is.
  std::string text(std::initializer_list<const char*> names);
  // The same, and a value that is missing makes the verdict.
  std::string need(std::initializer_list<const char*> names);
  // An http or https URL, without the slash at its end.
  std::string url(const char* name, const std::string& standard);
  // A value that cannot be read is told and the standard counts, as with lego.
  Duration seconds(const std::string& name, Duration standard);
  std::uint32_t ttl(std::uint32_t standard, std::uint32_t lowest = 1);
  // Of one call to the provider.
  Duration http_timeout(Duration standard = std::chrono::seconds(30));
  // PROPAGATION_TIMEOUT, POLLING_INTERVAL.
  Timing timing(Duration timeout = std::chrono::seconds(60), Duration interval = std::chrono::seconds(2));

  void complain(std::string what);
  // What was missing, by the variable that has to be set.
  Configured<> verdict() const;
  const std::string& provider() const { return provider_; }

 private:
  std::string provider_;
  std::string prefix_;
  const Environment& environment_;
  std::vector<std::string> complaints_;
};

}  // namespace fairlead::acme::dns
