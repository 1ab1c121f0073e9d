#include "acme/order_failure.h"

#include "engine/base/strings.h"

#include <algorithm>

namespace fairlead::acme {
namespace {

// Whether the text speaks of the name, and not of a longer one that it is a part of.
bool mentions(std::string_view text, std::string_view name) {
  const auto is_of_name = [](char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '*';
  };
  for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::string_view after = text.substr(at + name.size());
    const bool begins = at == 0 || (!is_of_name(text[at - 1]) && text[at - 1] != '.');
    const bool ends = after.empty() || (!is_of_name(after[0]) &&
                                        (after[0] != '.' || after.size() == 1 || !is_of_name(after[1])));
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

OrderFailure by_names(const Trouble& trouble, const std::vector<std::string>& names) {
  OrderFailure out{.names = {}, .trouble = trouble, .open = {}};
  for (const Problem::Part& part : trouble.problem.parts) {
    auto name = std::ranges::find(names, part.name);
    // Some call a wildcard by what it stands below.
    if (name == names.end()) name = std::ranges::find(names, "*." + part.name);
    if (name == names.end()) continue;
    Problem& problem = out.names[*name];
    problem.status = trouble.problem.status;
    problem.type = part.type.empty() ? trouble.problem.type : part.type;
    problem.detail = part.detail;
    problem.retry_after = trouble.problem.retry_after;
  }
  // Of a single one it may be said in the text only (Let's Encrypt: `Cannot issue for "a.internal": …`,
  // `While processing CAA for a.example: …`).
  if (out.names.empty() && trouble.is_of_some_name())
    for (const std::string& name : names)
      if (mentions(trouble.problem.detail, name)) out.names[name] = trouble.problem;
  return out;
}

OrderFailure of_order(const Trouble& trouble, const std::vector<std::string>& names) {
  OrderFailure out = by_names(trouble, names);
  if (!out.names.empty() || !trouble.is("unauthorized")) return out;
  out.trouble.problem.type = "account";
  out.trouble.problem.detail = trouble.text();
  return out;
}

}  // namespace fairlead::acme
