#include "engine/routing/regex.h"

#include "engine/base/utf8.h"

#include <re2/re2.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <unordered_map>

namespace fairlead::routing {
namespace {

// Bytes for the compiled program and its lazily built automaton together. Hardly a pattern needs more than
// the first; classes of Unicode that are counted, as `\p{L}{1,255}`, do. A pattern beyond the second is
// refused.
constexpr std::int64_t kUsualRegexMemory = 2 << 20;
constexpr std::int64_t kMaxRegexMemory = 8 << 20;
constexpr std::size_t kMaxPatternBytes = 64 << 10;

struct TextHash : std::hash<std::string_view> {
  using is_transparent = void;
};

// Patterns in use by any rule of any snapshot.
struct Shared {
  std::mutex mutex;
  std::unordered_map<std::string, std::weak_ptr<const Regex>, TextHash, std::equal_to<>> by_pattern;
  std::size_t sweep_at = 64;  // drop what nobody holds when the table has grown to this
};

Shared& shared() {
  static Shared instance;
  return instance;
}

}  // namespace

std::string with_re2_group_names(std::string_view pattern) {
  std::string out;
  out.reserve(pattern.size() + 8);
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      if (!in_class && pattern[i + 1] == 'Q') {  // \Q…\E is literal text
        const std::size_t end = pattern.find("\\E", i + 2);
        const std::size_t stop = end == pattern.npos ? pattern.size() : end + 2;
        out.append(pattern.substr(i, stop - i));
        i = stop - 1;
        continue;
      }
      out.append(pattern.substr(i++, 2));
      continue;
    }
    if (c == '[' && !in_class) {
      in_class = true;
      out += c;
      // A bracket right behind "[" or "[^" is a member of the class.
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') out += pattern[++i];
      continue;
    }
    if (c == '[' && pattern.substr(i).starts_with("[:")) {  // [[:alpha:]]
      const std::size_t end = pattern.find(":]", i + 2);
      if (end != pattern.npos) {
        out.append(pattern.substr(i, end + 2 - i));
        i = end + 1;
        continue;
      }
    }
    if (c == ']') in_class = false;
    out += c;
    // "(?<=" and "(?<!" are look-behind, which neither dialect has: leave them to the error message.
    if (!in_class && c == '(' && pattern.substr(i + 1).starts_with("?<") && i + 3 < pattern.size() &&
        pattern[i + 3] != '=' && pattern[i + 3] != '!') {
      out += "?P<";
      i += 2;
    }
  }
  return out;
}

Regex::Regex(std::string pattern, std::unique_ptr<re2::RE2> compiled)
    : pattern_(std::move(pattern)), compiled_(std::move(compiled)) {}

Regex::~Regex() = default;

std::string Regex::quote(std::string_view text) { return re2::RE2::QuoteMeta({text.data(), text.size()}); }

std::expected<std::shared_ptr<const Regex>, std::string> Regex::compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) return std::unexpected("is longer than 64 KiB");
  Shared& all = shared();
  const std::scoped_lock lock(all.mutex);
  if (const auto found = all.by_pattern.find(pattern); found != all.by_pattern.end())
    if (auto alive = found->second.lock()) return alive;

  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kUsualRegexMemory);
  const std::string named = with_re2_group_names(pattern);
  auto compiled = std::make_unique<re2::RE2>(named, options);
  if (compiled->error_code() == re2::RE2::ErrorPatternTooLarge) {
    options.set_max_mem(kMaxRegexMemory);
    compiled = std::make_unique<re2::RE2>(named, options);
  }
  if (!compiled->ok()) return std::unexpected(compiled->error());

  std::shared_ptr<const Regex> made(new Regex(std::string(pattern), std::move(compiled)));
  if (all.by_pattern.size() >= all.sweep_at) {
    std::erase_if(all.by_pattern, [](const auto& entry) { return entry.second.expired(); });
    all.sweep_at = std::max<std::size_t>(64, 2 * all.by_pattern.size());
  }
  all.by_pattern[made->pattern()] = made;
  return made;
}

bool Regex::matches(std::string_view text) const {
  std::string scratch;
  const std::string_view subject = as_utf8(text, scratch);
  return compiled_->Match({subject.data(), subject.size()}, 0, subject.size(), re2::RE2::UNANCHORED, nullptr,
                          0);
}

std::size_t Regex::leading_match(std::string_view text) const {
  std::string scratch;
  const std::string_view subject = as_utf8(text, scratch);
  re2::StringPiece found;
  if (!compiled_->Match({subject.data(), subject.size()}, 0, subject.size(), re2::RE2::UNANCHORED, &found, 1))
    return 0;
  if (found.data() != subject.data()) return 0;
  // Back from the characters of the subject to the bytes they stand for.
  std::size_t at = 0;
  for (std::size_t matched = 0; matched < found.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    matched += length == 0 ? kReplacementCharacter.size() : length;
    at += std::max<std::size_t>(length, 1);
  }
  return at;
}

}  // namespace fairlead::routing
