#include "engine/observe/paced_lines.h"

#include <fmt/format.h>

#include <utility>

namespace fairlead::observe {
namespace {

constexpr auto kTellAgain = std::chrono::minutes(1);

}  // namespace

std::optional<std::string> PacedLines::pass(std::string kind, TimePoint now) {
  if (told_.size() >= kMostKinds && !told_.contains(kind)) {
    std::erase_if(told_, [&](const auto& entry) { return now - entry.second.at >= kTellAgain; });
    if (told_.size() >= kMostKinds) return std::nullopt;
  }
  const auto [place, is_new] = told_.try_emplace(std::move(kind));
  Told& told = place->second;
  if (!is_new && now - told.at < kTellAgain) {
    ++told.since;
    return std::nullopt;
  }
  std::string more;
  if (told.since > 0)
    more = fmt::format(" ({} more like it in the {} s before)", told.since,
                       std::chrono::duration_cast<std::chrono::seconds>(now - told.at).count());
  told = {now, 0};
  return more;
}

}  // namespace fairlead::observe
