#include "engine/routing/rule.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace fairlead::routing {

std::string_view name(Matcher matcher) {
  switch (matcher) {
    case Matcher::Host: return "Host";
    case Matcher::HostRegexp: return "HostRegexp";
    case Matcher::Path: return "Path";
    case Matcher::PathPrefix: return "PathPrefix";
    case Matcher::PathRegexp: return "PathRegexp";
    case Matcher::Method: return "Method";
    case Matcher::Header: return "Header";
    case Matcher::HeaderRegexp: return "HeaderRegexp";
    case Matcher::Query: return "Query";
    case Matcher::QueryRegexp: return "QueryRegexp";
    case Matcher::ClientIp: return "ClientIP";
    case Matcher::HostSni: return "HostSNI";
    case Matcher::HostSniRegexp: return "HostSNIRegexp";
    case Matcher::Alpn: return "ALPN";
  }
  return "";
}

Rule::Hosts Rule::hosts() const {
  Hosts out;
  std::unordered_set<std::string_view> seen_named;
  std::unordered_set<std::string_view> seen_negated;
  for (const Node& node : nodes) {
    if (node.op != Node::Op::Test) continue;
    if (node.matcher != Matcher::Host && node.matcher != Matcher::HostSni) continue;
    if ((node.negated ? seen_negated : seen_named).insert(node.first).second)
      (node.negated ? out.negated : out.named).push_back(node.first);
  }
  return out;
}

bool Rule::is_catch_all() const {
  return nodes.size() == 1 && nodes[0].op == Node::Op::Test && nodes[0].matcher == Matcher::HostSni &&
         !nodes[0].negated && nodes[0].first == "*";
}

std::int64_t Rule::default_priority() const {
  return is_catch_all() ? -1 : static_cast<std::int64_t>(text.size());
}

Configured<std::int64_t> effective_priority(const Rule& rule, std::int64_t configured) {
  if (configured > kMaxUserPriority)
    return misconfigured("priority", fmt::format("{} is reserved; the highest priority of a router is {}",
                                                 configured, kMaxUserPriority));
  return configured == 0 ? rule.default_priority() : configured;
}

std::string clause_text(Matcher matcher, bool negated, std::string_view first, std::string_view second) {
  const auto literal = [](std::string_view value) {
    return value.find('`') == value.npos ? fmt::format("`{}`", value) : quoted(value, value.size());
  };
  std::string out = fmt::format("{}{}({}", negated ? "!" : "", name(matcher), literal(first));
  if (!second.empty()) out += ", " + literal(second);
  return out + ")";
}

}  // namespace fairlead::routing
