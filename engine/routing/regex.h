#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace fairlead::routing {

// A regular expression in Go's dialect, matched in linear time. Immutable: any thread may use it.
class Regex {
 public:
  // Equal patterns share one compiled object as long as anyone holds it, so a reload that changes one label
  // compiles nothing else. Errors: what is wrong with the pattern, in words. Control threads only: compiling
  // takes up to milliseconds, though never more memory than a fixed bound.
  static std::expected<std::shared_ptr<const Regex>, std::string> compile(std::string_view pattern);

  // `text` with everything that means something in a pattern escaped.
  static std::string quote(std::string_view text);

  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // True when any part of `text` matches; ^ and $ anchor. As in Go, a byte that is no UTF-8 is a character as
  // U+FFFD is; RE2 alone would find none there, and `/%ff` would get past `^/.*$`.
  bool matches(std::string_view text) const;
  // Bytes of the leftmost match when `text` begins with it; 0 when it is elsewhere or there is none.
  std::size_t leading_match(std::string_view text) const;
  // For captures and replacements in text that is UTF-8; anchored nowhere by itself.
  const re2::RE2& re2() const { return *compiled_; }
  // As the user wrote it.
  const std::string& pattern() const { return pattern_; }

 private:
  Regex(std::string pattern, std::unique_ptr<re2::RE2> compiled);

  const std::string pattern_;
  const std::unique_ptr<const re2::RE2> compiled_;
};

// Go spells named groups `(?<name>…)` or `(?P<name>…)`; RE2 knows only the second.
std::string with_re2_group_names(std::string_view pattern);

}  // namespace fairlead::routing
