#include "acme/dns/caa.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::acme::dns {
namespace {

// The issuer's domain of `letsencrypt.org; validationmethods=dns-01` (RFC 8659 §4.2).
std::string issuer_of(const CaaProperty& property) {
  return canonical(trim(split(property.value, ';').front()));
}

}  // namespace

Result<> caa_verdict(const std::string& name, const std::string& owner,
                     const std::vector<CaaProperty>& properties, const std::vector<std::string>& issuers) {
  static constexpr std::string_view kKnown[] = {"issue",        "issuewild", "iodef",   "contactemail",
                                                "contactphone", "issuemail", "issuevmc"};
  for (const CaaProperty& property : properties)
    if (property.critical && std::ranges::find(kKnown, property.tag) == std::end(kKnown))
      return fail(
          403, Fault::Upstream,
          fmt::format("the CAA records of {} hold the critical property {}, which forbids every authority "
                      "that does not know it",
                      owner, fairlead::quoted(property.tag)));
  const bool wildcard = name.starts_with("*.");
  const bool own_rule =
      wildcard && std::ranges::any_of(properties, [](const CaaProperty& p) { return p.tag == "issuewild"; });
  const std::string_view tag = own_rule ? "issuewild" : "issue";
  std::string allowed;
  bool restricted = false;
  for (const CaaProperty& property : properties) {
    if (property.tag != tag) continue;
    restricted = true;
    const std::string issuer = issuer_of(property);
    if (std::ranges::find(issuers, issuer) != issuers.end()) return {};
    if (issuer.empty()) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += issuer;
  }
  if (!restricted) return {};
  return fail(
      403, Fault::Upstream,
      fmt::format("the CAA records of {} ({}) let {} issue for {}; add one for {}, or use another authority",
                  owner, tag, allowed.empty() ? "nobody" : allowed, name, join(issuers, " or ")));
}

Result<bool> caa_allows(const std::string& name, const std::vector<std::string>& issuers,
                        const Resolver& resolver) {
  if (issuers.empty()) return true;
  std::string whole = canonical(name);
  std::string_view at = whole;
  if (at.starts_with("*.")) at.remove_prefix(2);
  // The nearest name above, or the name itself, that has such records (RFC 8659 §3).
  while (!at.empty()) {
    const auto answer = resolver.ask(std::string(at), Type::CAA);
    if (!answer) return false;
    std::vector<CaaProperty> properties;
    for (const ResourceRecord& record : answer->answers)
      if (record.is(Type::CAA))
        if (auto property = caa_property(record)) properties.push_back(std::move(*property));
    if (!properties.empty()) {
      if (auto verdict = caa_verdict(whole, std::string(at), properties, issuers); !verdict)
        return std::unexpected(std::move(verdict.error()));
      return true;
    }
    const std::size_t dot = at.find('.');
    at = dot == std::string_view::npos ? std::string_view() : at.substr(dot + 1);
  }
  return true;
}

}  // namespace fairlead::acme::dns
