#include "engine/middleware/go_expand.h"

#include "engine/base/strings.h"
#include "engine/routing/regex.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace fairlead::middleware {
namespace {

constexpr int kMaxGroups = 100;  // captured per match; a higher one in a replacement is empty

bool is_name_byte(char c) {
  // Go takes any Unicode letter; group names beyond ASCII are none in RE2, so the bytes only have to be
  // taken along.
  return is_alpha(c) || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

struct Reference {
  std::string_view name;
  std::string_view rest;
};

// What stands behind a '$'. Nothing when that is no reference.
std::optional<Reference> take_reference(std::string_view text) {
  const bool brace = text.starts_with('{');
  if (brace) text.remove_prefix(1);
  const auto end = std::ranges::find_if_not(text, is_name_byte);
  const auto length = static_cast<std::size_t>(end - text.begin());
  if (length == 0) return std::nullopt;
  std::string_view rest = text.substr(length);
  if (brace) {
    if (!rest.starts_with('}')) return std::nullopt;
    rest.remove_prefix(1);
  }
  return Reference{text.substr(0, length), rest};
}

// The number of a group; -1 when the pattern has none of that name.
int group_of(const re2::RE2& regex, std::string_view name) {
  const bool is_number = std::ranges::all_of(name, is_digit) && (name[0] != '0' || name.size() == 1);
  if (is_number) {
    const auto number = name.size() < 9 ? parse_digits(name) : std::nullopt;
    const int highest = std::min(regex.NumberOfCapturingGroups(), kMaxGroups - 1);
    return number && static_cast<int>(*number) <= highest ? static_cast<int>(*number) : -1;
  }
  const auto& named = regex.NamedCapturingGroups();
  const auto found = named.find(std::string(name));
  return found == named.end() || found->second >= kMaxGroups ? -1 : found->second;
}

// Bytes of the character at `at`, as Go's utf8.DecodeRune counts them (1 for what is no UTF-8).
std::size_t width_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t width = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
  if (at + width > text.size()) return 1;
  for (std::size_t i = 1; i < width; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 1;
  return width;
}

}  // namespace

Configured<std::shared_ptr<const routing::Regex>> compile_pattern(std::string_view path,
                                                                  std::string_view pattern) {
  auto made = routing::Regex::compile(pattern);
  if (!made) return misconfigured(std::string(path), "is no regular expression: " + made.error());
  return std::move(*made);
}

Replacement::Replacement(std::shared_ptr<const routing::Regex> regex, std::string_view replacement)
    : regex_(std::move(regex)) {
  std::string literal;
  while (!replacement.empty()) {
    const std::size_t dollar = replacement.find('$');
    literal += replacement.substr(0, dollar);
    if (dollar == replacement.npos) break;
    replacement.remove_prefix(dollar + 1);
    if (replacement.starts_with('$')) {
      literal += '$';
      replacement.remove_prefix(1);
      continue;
    }
    const auto reference = take_reference(replacement);
    if (!reference) {
      literal += '$';
      continue;
    }
    replacement = reference->rest;
    const int group = group_of(regex_->re2(), reference->name);
    if (group < 0) {
      missing_groups_.emplace_back(reference->name);
      continue;
    }
    if (!literal.empty()) parts_.push_back({std::exchange(literal, {}), -1});
    parts_.push_back({{}, group});
    groups_ = std::max(groups_, group + 1);
  }
  if (!literal.empty()) parts_.push_back({std::move(literal), -1});
}

bool Replacement::matches(std::string_view text) const { return regex_->matches(text); }

std::optional<std::string> Replacement::replace_all(std::string_view text) const {
  const re2::StringPiece subject(text.data(), text.size());
  std::array<re2::StringPiece, kMaxGroups> groups;
  std::string out;
  std::size_t last_end = 0;  // of the latest match
  std::size_t at = 0;
  while (at <= text.size() &&
         regex_->re2().Match(subject, at, text.size(), re2::RE2::UNANCHORED, groups.data(), groups_)) {
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    out += text.substr(last_end, begin - last_end);
    // An empty match right behind another match does not count.
    if (end > last_end || begin == 0)
      for (const Part& part : parts_) {
        if (part.group < 0)
          out += part.literal;
        else
          out.append(groups[part.group].data() ? groups[part.group].data() : "", groups[part.group].size());
      }
    if (out.size() > kMaxResultBytes) return std::nullopt;
    last_end = end;
    const std::size_t width = width_at(text, at);
    at = at + width > end ? at + std::max<std::size_t>(width, 1) : end == at ? at + 1 : end;
  }
  out += text.substr(std::min(last_end, text.size()));
  if (out.size() > kMaxResultBytes) return std::nullopt;
  return out;
}

}  // namespace fairlead::middleware
