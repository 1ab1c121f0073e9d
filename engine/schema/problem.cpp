#include "engine/schema/problem.h"

#include <fmt/format.h>

namespace fairlead::schema {

std::string Problem::text() const {
  std::string out = path;
  const std::string where = origin.text();
  if (!where.empty()) out += out.empty() ? where : fmt::format(" ({})", where);
  out += ": " + what;
  if (!suggestion.empty())
    out += kind == Kind::Deprecated ? fmt::format("; use {}", suggestion)
                                    : fmt::format("; did you mean `{}`?", suggestion);
  return out;
}

}  // namespace fairlead::schema
