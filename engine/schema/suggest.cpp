#include "engine/schema/suggest.h"

#include "engine/schema/node.h"
#include "engine/schema/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fairlead::schema {
namespace {

constexpr std::size_t kMaxLength = 64;
constexpr std::size_t kDeepestSearch = 10;

char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

void collect(const TypeInfo& type, const std::string& prefix, bool as_label, bool through_free_names,
             std::size_t depth, std::vector<std::string>& out) {
  if (depth > kDeepestSearch) return;
  switch (type.kind) {
    case TypeKind::Optional:
    case TypeKind::List: return collect(type.element(), prefix, as_label, through_free_names, depth, out);
    case TypeKind::Map:
      if (through_free_names)
        collect(type.element(), prefix + "<name>.", as_label, through_free_names, depth + 1, out);
      return;
    case TypeKind::Struct:
      for (const Option& row : type.rows()) {
        if (row.traits.out_of_scope || (as_label && row.traits.not_in_labels)) continue;
        const char* name = as_label && row.traits.alias ? row.traits.alias : row.name;
        const std::string full = prefix + (as_label ? lower(name) : std::string(name));
        out.push_back(full);
        collect(row.type(), full + '.', as_label, through_free_names, depth + 1, out);
      }
      return;
    default: return;
  }
}

// The last `count` dotted segments of `text`.
std::string_view last_segments(std::string_view text, std::size_t count) {
  std::size_t at = text.size();
  while (count-- > 0) {
    if (at == 0) return text;
    at = text.rfind('.', at - 1);
    if (at == std::string_view::npos) return text;
  }
  return text.substr(at + 1);
}

bool ends_with_option(std::string_view spelling, std::string_view written) {
  if (spelling.size() < written.size()) return false;
  const std::string_view tail = spelling.substr(spelling.size() - written.size());
  return equal_ignoring_case(tail, written) &&
         (tail.size() == spelling.size() || spelling[spelling.size() - tail.size() - 1] == '.');
}

std::string without_indices(std::string_view written) {
  std::string out;
  bool inside = false;
  for (char c : written) {
    if (c == '[') inside = true;
    if (!inside) out += c;
    if (c == ']') inside = false;
  }
  return out;
}

}  // namespace

std::size_t distance(std::string_view a, std::string_view b) {
  if (a.size() > kMaxLength || b.size() > kMaxLength) return kMaxLength;
  // Three rows are enough: a swap looks two rows back.
  std::array<std::array<std::size_t, kMaxLength + 1>, 3> rows;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i - 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = fold(a[i - 1]) == fold(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
        row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

bool is_dotted_option(const TypeInfo& type, std::string_view written) {
  if (!written.contains('.')) return false;
  const TypeInfo* at = &type;
  while (true) {
    const std::size_t dot = written.find('.');
    while (at->kind == TypeKind::Optional) at = &at->element();
    if (at->kind == TypeKind::Map) {
      at = &at->element();
    } else {
      const Option* row = at->kind == TypeKind::Struct ? find_row(*at, written.substr(0, dot)) : nullptr;
      if (!row) return false;
      at = &row->type();
    }
    if (dot == std::string_view::npos) return true;
    written.remove_prefix(dot + 1);
  }
}

std::string nested(std::string_view dotted) {
  std::string out;
  while (true) {
    const std::size_t dot = dotted.rfind('.');
    out += fmt::format("{}`{}`", out.empty() ? "" : " below ", dotted.substr(dot + 1));
    if (dot == std::string_view::npos) return out;
    dotted = dotted.substr(0, dot);
  }
}

std::vector<std::string> spellings(const TypeInfo& type, bool as_label, bool through_free_names) {
  std::vector<std::string> out;
  collect(type, {}, as_label, through_free_names, 0, out);
  return out;
}

std::string nearest_option(const TypeInfo& type, std::string_view written, bool as_label) {
  const std::string wanted = without_indices(written);
  const auto segments = static_cast<std::size_t>(std::ranges::count(wanted, '.')) + 1;
  const std::string_view first_wanted = std::string_view(wanted).substr(0, wanted.find('.'));
  std::string best;
  std::size_t best_score = kMaxLength * 4;
  std::size_t best_length = 0;
  for (std::string& spelling : spellings(type, as_label, false)) {
    // Twice the distance, plus one for a level that was left out: among equals the direct child wins.
    const auto depth = static_cast<std::size_t>(std::ranges::count(spelling, '.')) + 1;
    std::size_t score = 2 * distance(spelling, wanted);
    std::size_t allowed = std::max<std::size_t>(1, std::min(wanted.size(), spelling.size()) / 3);
    if (score > 2 * allowed && depth > segments) {
      const std::string_view tail = last_segments(spelling, segments);
      allowed = std::max<std::size_t>(1, std::min(wanted.size(), tail.size()) / 3);
      score = 2 * distance(tail, wanted) + 1;
      if (score > 2 * allowed + 1) continue;
    } else if (score > 2 * allowed) {
      // Only the first segment is misspelt and free names follow: `router.web.rule`.
      if (depth != 1 || segments == 1) continue;
      allowed = std::max<std::size_t>(1, std::min(first_wanted.size(), spelling.size()) / 3);
      score = 2 * distance(spelling, first_wanted);
      if (score > 2 * allowed) continue;
      spelling += wanted.substr(first_wanted.size());
    }
    if (score < best_score || (score == best_score && spelling.size() < best_length)) {
      best_score = score;
      best_length = spelling.size();
      best = std::move(spelling);
    }
  }
  return best;
}

std::string same_option_elsewhere(const TypeInfo& root, std::string_view written, bool as_label) {
  const std::string wanted = without_indices(written);
  std::string best;
  for (std::string& spelling : spellings(root, as_label, true))
    if (ends_with_option(spelling, wanted) && (best.empty() || spelling.size() < best.size()))
      best = std::move(spelling);
  return best;
}

std::string nearest_choice(std::string_view choices, std::string_view written) {
  std::string_view best;
  std::size_t best_distance = kMaxLength;
  while (!choices.empty()) {
    const std::string_view choice = choices.substr(0, choices.find('|'));
    choices.remove_prefix(std::min(choices.size(), choice.size() + 1));
    const std::size_t d = distance(choice, written);
    if (d < best_distance && d <= std::max<std::size_t>(1, choice.size() / 2)) {
      best = choice;
      best_distance = d;
    }
  }
  return std::string(best);
}

}  // namespace fairlead::schema
