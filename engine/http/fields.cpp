#include "engine/http/fields.h"

#include <array>
#include <cstring>
#include <utility>

namespace fairlead::http {
namespace {

constexpr std::array<std::string_view, 34> kSpellings = {
    "",
    "Accept",
    "Accept-Encoding",
    "Authorization",
    "Connection",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Date",
    "Expect",
    "Host",
    "Keep-Alive",
    "Location",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Referer",
    "Set-Cookie",
    "Te",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Method",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Server",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Uri",
    "X-Real-Ip",
};
static_assert(kSpellings.size() == static_cast<std::size_t>(Name::XRealIp) + 1);

// First letter and length leave at most three candidates: a table of 26 × 33 slots, each a chain of at most
// three.
struct Slots {
  std::array<std::array<std::array<Name, 3>, 33>, 26> of{};
  constexpr Slots() {
    for (std::size_t i = 1; i < kSpellings.size(); ++i) {
      auto& slot = of[static_cast<std::size_t>(to_lower(kSpellings[i][0]) - 'a')][kSpellings[i].size()];
      for (Name& place : slot) {
        if (place != Name::Other) continue;
        place = static_cast<Name>(i);
        break;
      }
    }
  }
};
constexpr Slots kSlots;

constexpr bool all_reachable() {
  for (std::size_t i = 1; i < kSpellings.size(); ++i) {
    const auto& slot =
        kSlots.of[static_cast<std::size_t>(to_lower(kSpellings[i][0]) - 'a')][kSpellings[i].size()];
    bool found = false;
    for (const Name place : slot) found = found || place == static_cast<Name>(i);
    if (!found) return false;
  }
  return true;
}
static_assert(all_reachable(), "more known names share first letter and length than a slot holds");

// The spellings in lower case, and for each byte the bit that tells the cases of a letter apart: a name is
// compared eight bytes at a time.
struct Folded {
  struct Text {
    std::array<char, 40> lower{};
    std::array<char, 40> case_bits{};
  };
  std::array<Text, kSpellings.size()> of{};
  constexpr Folded() {
    for (std::size_t i = 0; i < kSpellings.size(); ++i)
      for (std::size_t at = 0; at < kSpellings[i].size(); ++at) {
        of[i].lower[at] = to_lower(kSpellings[i][at]);
        of[i].case_bits[at] = is_alpha(kSpellings[i][at]) ? 0x20 : 0;
      }
  }
};
constexpr Folded kFolded;

template <class Word>
bool same_word(const char* name, const Folded::Text& text, std::size_t at) {
  Word word;
  Word lower;
  Word case_bits;
  std::memcpy(&word, name + at, sizeof(Word));
  std::memcpy(&lower, text.lower.data() + at, sizeof(Word));
  std::memcpy(&case_bits, text.case_bits.data() + at, sizeof(Word));
  return (word | case_bits) == lower;
}

// Whether `name`, of the length of that spelling, is that spelling in any case.
bool is_spelling(std::string_view name, Name candidate) {
  const Folded::Text& text = kFolded.of[static_cast<std::size_t>(candidate)];
  const std::size_t size = name.size();
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8)
      if (!same_word<std::uint64_t>(name.data(), text, at)) return false;
    return same_word<std::uint64_t>(name.data(), text, size - 8);
  }
  if (size >= 4)
    return same_word<std::uint32_t>(name.data(), text, 0) &&
           same_word<std::uint32_t>(name.data(), text, size - 4);
  return iequals(name, kSpellings[static_cast<std::size_t>(candidate)]);
}

constexpr std::array<bool, 256> make_token_bytes() {
  std::array<bool, 256> out{};
  for (int c = 0; c < 256; ++c) {
    const char as_char = static_cast<char>(c);
    out[static_cast<std::size_t>(c)] =
        is_alpha(as_char) || is_digit(as_char) ||
        (c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(as_char) != std::string_view::npos);
  }
  return out;
}
constexpr std::array<bool, 256> kTokenBytes = make_token_bytes();

// Visible ASCII, white space and bytes above ASCII (RFC 9110 §5.5).
bool all_value_bytes(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

// Whether one of the eight bytes is below 0x20 or is 0x7f. True for a tab too, and for a byte above such a
// one.
bool may_hold_control(const char* eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  std::uint64_t word;
  std::memcpy(&word, eight, sizeof(word));
  const std::uint64_t below_space = (word - 0x20 * kOnes) & ~word;
  const std::uint64_t unlike_delete = word ^ (0x7f * kOnes);
  return ((below_space | ((unlike_delete - kOnes) & ~unlike_delete)) & kHigh) != 0;
}

}  // namespace

Name known_name(std::string_view name) {
  if (name.empty() || name.size() > 32 || !is_alpha(name[0])) return Name::Other;
  for (const Name candidate : kSlots.of[static_cast<std::size_t>(to_lower(name[0]) - 'a')][name.size()])
    if (candidate != Name::Other && is_spelling(name, candidate)) return candidate;
  return Name::Other;
}

std::string_view spelling(Name name) { return kSpellings[static_cast<std::size_t>(name)]; }

void Fields::add(std::string_view name, std::string_view value) {
  append(arena_->copy(name), arena_->copy(value), known_name(name));
}

void Fields::set(std::string_view name, std::string_view value) {
  set_known(known_name(name), arena_->copy(name), arena_->copy(value));
}

void Fields::set_known(Name known, std::string_view name, std::string_view value) {
  Field* kept = nullptr;
  if (!may_have(name_bit(known))) return append(name, value, known);
  for (Field& line : lines_) {
    if (known == Name::Other ? !iequals(line.name, name) : line.known != known) continue;
    if (!kept) {
      kept = &line;
      line.name = name;
      line.value = value;
      line.received = false;
    } else {
      line.name = {};
    }
  }
  if (!kept) return append(name, value, known);
  std::erase_if(lines_, [](const Field& line) { return line.name.empty(); });
}

std::size_t Fields::remove(std::string_view name) {
  return remove_if([name](const Field& line) { return iequals(line.name, name); });
}

std::size_t Fields::remove(Name name) {
  if (!may_have(name_bit(name))) return 0;
  return remove_if([name](const Field& line) { return line.known == name; });
}

const Field* Fields::find(std::string_view name) const {
  for (const Field& line : lines_)
    if (iequals(line.name, name)) return &line;
  return nullptr;
}

std::string_view Fields::joined(std::string_view name) const {
  const Field* first = nullptr;
  std::string text;
  for (const Field& line : lines_) {
    if (!iequals(line.name, name)) continue;
    if (!first) {
      first = &line;
      text = line.value;
    } else {
      text += ", ";
      text += line.value;
    }
  }
  if (!first) return {};
  return text.size() == first->value.size() ? first->value : arena_->copy(text);
}

bool has_token(std::string_view value, std::string_view token) {
  while (!value.empty()) {
    const auto comma = value.find(',');
    if (iequals(trim(value.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    value.remove_prefix(comma + 1);
  }
  return false;
}

bool is_token(std::string_view text) {
  for (const char c : text)
    if (!kTokenBytes[static_cast<unsigned char>(c)]) return false;
  return !text.empty();
}

bool is_field_value(std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= kWord; at += kWord, left -= kWord)
    if (may_hold_control(at) && !all_value_bytes({at, kWord})) return false;
  return all_value_bytes({at, left});
}

}  // namespace fairlead::http
