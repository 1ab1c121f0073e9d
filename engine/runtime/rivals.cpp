#include "engine/runtime/rivals.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace fairlead::runtime {
namespace {

bool comes_before(const routing::Standing& a, const routing::Standing& b) {
  return std::tie(a.precedence, a.order) < std::tie(b.precedence, b.order);
}

}  // namespace

void Rivals::add(const std::string& name, std::string_view rule, const routing::Standing& standing,
                 std::vector<model::Reason>& reasons) {
  const Router router{&name, standing, &reasons};
  const auto [found, is_first] = first_.try_emplace({standing.priority, rule}, router);
  if (is_first || found->second.name == &name) return;
  if (comes_before(standing, found->second.standing)) {
    tell(found->second, router);
    found->second = router;
  } else {
    tell(router, found->second);
  }
}

// Not as Shadowed, for which a provider stands: such a router orders no certificate.
void Rivals::tell(const Router& loser, const Router& first) {
  const bool is_told = std::ranges::any_of(*loser.reasons, [](const model::Reason& reason) {
    return reason.breaks || reason.kind == model::ReasonKind::Shadowed;
  });
  model::Reason said{model::ReasonKind::Ineffective,
                     fmt::format("the router {} has the same rule and priority and comes first", *first.name),
                     {},
                     false};
  if (!is_told && std::ranges::find(*loser.reasons, said) == loser.reasons->end())
    loser.reasons->push_back(std::move(said));
}

}  // namespace fairlead::runtime
