#include "engine/model/status_range.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace fairlead::model {
namespace {

std::optional<int> number(std::string_view text) {
  const auto digits = parse_digits(trim(text));
  if (!digits) return std::nullopt;
  return static_cast<int>(std::min<std::uint64_t>(*digits, std::numeric_limits<int>::max()));
}

}  // namespace

std::optional<StatusRange> parse_status_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::optional<int> first = number(text.substr(0, dash));
  if (dash == std::string_view::npos)
    return first ? std::optional(StatusRange{*first, *first}) : std::nullopt;
  const std::string_view rest = text.substr(dash + 1);
  const std::optional<int> last = number(rest.substr(0, rest.find('-')));
  if (!first || !last) return std::nullopt;
  return StatusRange{*first, *last};
}

std::string status_range_remark(std::string_view text) {
  const std::optional<StatusRange> range = parse_status_range(text);
  if (!range) return {};
  if (range->first > range->last || range->last < 100 || range->first > 999)
    return fmt::format("`{}` matches no status", text);
  if (std::ranges::count(text, '-') < 2) return {};
  return fmt::format("`{}` counts as {}-{}; list several ranges one by one", text, range->first, range->last);
}

}  // namespace fairlead::model
