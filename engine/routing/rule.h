#pragma once

#include "engine/base/result.h"
#include "engine/routing/client_address.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::routing {

class Regex;

enum class Protocol : std::uint8_t { Http, Tcp };

// What a rule can ask. The old syntax (v2) has other names and templates; they are translated to these.
enum class Matcher : std::uint8_t {
  Host,
  HostRegexp,
  Path,
  PathPrefix,
  PathRegexp,
  Method,
  Header,
  HeaderRegexp,
  Query,
  QueryRegexp,
  ClientIp,
  HostSni,
  HostSniRegexp,
  Alpn,
};

std::string_view name(Matcher matcher);  // "ClientIP"

// One node of a rule. The tree stands in one array in the order of reading: a node is followed by its
// children, and `size` tells where the next sibling is.
struct Node {
  enum class Op : std::uint8_t { All, Any, Test };  // &&, ||, a matcher

  Op op = Op::Test;
  Matcher matcher = Matcher::Host;
  bool negated = false;                // of a Test; `!` before parentheses has been moved inward (De Morgan)
  std::uint32_t size = 1;              // nodes of this subtree, itself included
  std::string first;                   // Host, HostSNI: canonical; Method: upper case; Header, Query: the key
  std::string second;                  // Header, Query: the value
  std::shared_ptr<const Regex> regex;  // of the …Regexp matchers
  Network network;                     // of ClientIP
};

// A parsed rule: plain data, made by parse_rule().
struct Rule {
  std::string text;  // as written
  Protocol protocol = Protocol::Http;
  std::vector<Node> nodes;           // never empty
  std::vector<std::string> notices;  // legal, but surely not what was meant

  // Values of Host() (HostSNI() of a TCP rule) in order, canonical, each once. Only the positive ones choose
  // TLS options and order certificates: `!Host(x)` does not say that this router serves x.
  struct Hosts {
    std::vector<std::string> named;
    std::vector<std::string> negated;
  };
  Hosts hosts() const;

  // Exactly HostSNI(`*`): what TCP routing tries last.
  bool is_catch_all() const;

  // Bytes of the rule as written; -1 for a TCP catch-all.
  std::int64_t default_priority() const;
};

// Priorities above this are Fairlead's own (redirections, the dashboard).
inline constexpr std::int64_t kMaxUserPriority = 9'223'372'036'854'775'807 - 1000;

// The priority a router has: the default for 0. Refuses what is reserved.
Configured<std::int64_t> effective_priority(const Rule& rule, std::int64_t configured);

// "!Header(`X-Env`, `test`)": a Test as v3 spells it.
std::string clause_text(Matcher matcher, bool negated, std::string_view first, std::string_view second);

}  // namespace fairlead::routing
