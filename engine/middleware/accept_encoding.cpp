#include "engine/middleware/accept_encoding.h"

#include "engine/base/strings.h"

#include <algorithm>
#include <array>

namespace fairlead::middleware {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"gzip", "br", "zstd"};
constexpr int kNotNamed = -1;

struct Wishes {
  bool any = false;                                       // there was a field
  std::array<int, 3> q{kNotNamed, kNotNamed, kNotNamed};  // thousandths, by Coding
  int identity = kNotNamed;
  int others = kNotNamed;  // "*"
};

// "0.8" in thousandths; what is no weight counts as 0: better uncompressed than unreadable.
int weight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
  int value = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return 0;
  int unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!is_digit(c)) return 0;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(value, 1000);
}

void read_item(std::string_view item, Wishes& wishes) {
  const auto semicolon = item.find(';');
  const std::string_view name = trim(item.substr(0, semicolon));
  int q = 1000;
  for (std::string_view rest = semicolon == std::string_view::npos ? "" : item.substr(semicolon + 1);
       !rest.empty();) {
    const auto next = rest.find(';');
    const std::string_view parameter = trim(rest.substr(0, next));
    const auto equals = parameter.find('=');
    if (equals != std::string_view::npos && iequals(trim(parameter.substr(0, equals)), "q"))
      q = weight(trim(parameter.substr(equals + 1)));
    rest = next == std::string_view::npos ? "" : rest.substr(next + 1);
  }
  if (name == "*") {
    wishes.others = std::max(wishes.others, q);
  } else if (iequals(name, "identity")) {
    wishes.identity = q;
  } else if (const auto coding = coding_of(iequals(name, "x-gzip") ? "gzip" : name)) {
    wishes.q[static_cast<std::size_t>(*coding)] = q;
  }
}

Wishes read(const http::Fields& fields) {
  Wishes wishes;
  for (const http::Field& line : fields) {
    if (line.known != http::Name::AcceptEncoding) continue;
    wishes.any = true;
    for (std::string_view rest = line.value; !rest.empty();) {
      const auto comma = rest.find(',');
      read_item(rest.substr(0, comma), wishes);
      rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
  }
  return wishes;
}

}  // namespace

std::string_view text(Coding coding) { return kNames[static_cast<std::size_t>(coding)]; }

std::optional<Coding> coding_of(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (iequals(name, kNames[i])) return static_cast<Coding>(i);
  return std::nullopt;
}

std::optional<Coding> choose_coding(const http::Fields& fields, std::span<const Coding> offered,
                                    std::optional<Coding> fallback) {
  const Wishes wishes = read(fields);
  if (!wishes.any) return fallback;

  const auto q_of = [&](Coding coding) {
    const int named = wishes.q[static_cast<std::size_t>(coding)];
    return named == kNotNamed ? wishes.others : named;
  };
  std::optional<Coding> best;
  int best_q = 0;
  for (const Coding coding : offered) {
    if (q_of(coding) <= best_q) continue;
    best = coding;
    best_q = q_of(coding);
  }
  if (wishes.identity > best_q) return std::nullopt;
  // Among those that "*" makes equal the default comes first.
  if (best && wishes.others == best_q && fallback && q_of(*fallback) == best_q) return fallback;
  return best;
}

}  // namespace fairlead::middleware
