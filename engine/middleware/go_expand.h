#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::routing {
class Regex;
}

namespace fairlead::middleware {

// Compiles a pattern of the option `path`, in Go's dialect.
Configured<std::shared_ptr<const routing::Regex>> compile_pattern(std::string_view path,
                                                                  std::string_view pattern);

// A pattern and a replacement as Go's regexp.ReplaceAllString understands them: $1, ${1}, $name, ${name},
// $$; a name is the longest run of letters, digits and underscores, what names no group is empty, and a '$'
// that begins nothing stands for itself. Immutable.
class Replacement {
 public:
  // Longer results are none: an empty match at every byte could multiply a request by the replacement.
  static constexpr std::size_t kMaxResultBytes = 256 * 1024;

  Replacement(std::shared_ptr<const routing::Regex> regex, std::string_view replacement);

  bool matches(std::string_view text) const;
  // Every match of `text` replaced; nothing when the result would be too long.
  std::optional<std::string> replace_all(std::string_view text) const;
  // What the replacement names and the pattern does not have: "1_x" of "$1_x".
  const std::vector<std::string>& missing_groups() const { return missing_groups_; }

 private:
  struct Part {
    std::string literal;
    int group = -1;  // ≥ 0: the text of that group, instead of a literal
  };

  std::shared_ptr<const routing::Regex> regex_;
  std::vector<Part> parts_;
  std::vector<std::string> missing_groups_;
  int groups_ = 1;  // to capture: the highest one used, and the whole match
};

}  // namespace fairlead::middleware
