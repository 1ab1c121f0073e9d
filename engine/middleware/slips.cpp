#include "engine/middleware/slips.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::middleware {
namespace {

// "[a-z]{1"
bool ends_within_counts(std::string_view pattern) {
  const std::size_t brace = pattern.rfind('{');
  return brace != pattern.npos && brace + 1 < pattern.size() &&
         std::ranges::all_of(pattern.substr(brace + 1), is_digit);
}

// "3}", or "}" behind "{1,"
bool begins_within_counts(std::string_view pattern) {
  const std::size_t brace = pattern.find('}');
  return brace != pattern.npos && std::ranges::all_of(pattern.substr(0, brace), is_digit);
}

bool doubles_a_dollar(std::string_view replacement) {
  for (std::size_t at = replacement.find("$$"); at != replacement.npos; at = replacement.find("$$", at + 2))
    if (const std::string_view rest = replacement.substr(at + 2);
        !rest.empty() && (rest[0] == '{' || is_digit(rest[0])))
      return true;
  return false;
}

// Scheme, host and a port that is not the usual one, in lower case (RFC 6454 §6.2); "null" for a page
// without.
bool is_sent_by_browsers(std::string_view origin) {
  if (origin == "null") return true;
  const std::size_t colon = origin.find("://");
  if (colon == 0 || colon == origin.npos || lower(origin) != origin) return false;
  const std::string_view rest = origin.substr(colon + 3);
  if (rest.empty() || rest.find_first_of("/?#@ ") != rest.npos) return false;
  const std::string_view scheme = origin.substr(0, colon);
  return !(scheme == "https" && rest.ends_with(":443")) && !(scheme == "http" && rest.ends_with(":80"));
}

}  // namespace

void warn(std::string_view option, std::string what, schema::Problems& notices) {
  schema::Problem& notice = notices.emplace_back();
  notice.kind = schema::Problem::Kind::BadValue;
  notice.severity = schema::Severity::Warning;
  notice.segments = {std::string(option)};
  notice.path = notice.key = option;
  notice.what = std::move(what);
}

void tell_lost_groups(std::string_view option, std::string_view written, const Replacement& made,
                      schema::Problems& notices) {
  if (doubles_a_dollar(written))
    warn(option,
         fmt::format("{} puts a dollar sign there and no group: only Compose files need `$$`, write a single "
                     "`$` here",
                     quoted(written)),
         notices);
  for (const std::string& group : made.missing_groups())
    warn(option,
         fmt::format("{} leaves {} out: the pattern has no group of that name; where letters follow a "
                     "number, write ${{1}}",
                     quoted(written), quoted(group)),
         notices);
}

void tell_cut_patterns(std::string_view option, const std::vector<std::string>& patterns,
                       schema::Problems& notices) {
  for (std::size_t i = 0; i + 1 < patterns.size(); ++i)
    if (ends_within_counts(patterns[i]) && begins_within_counts(patterns[i + 1]))
      warn(option,
           fmt::format("{} and {} look like one pattern cut at its comma: a label cannot hold it, a file can",
                       quoted(patterns[i]), quoted(patterns[i + 1])),
           notices);
}

void tell_unsent_origins(std::string_view option, const std::vector<std::string>& origins,
                         schema::Problems& notices) {
  for (const std::string& origin : origins) {
    if (origin == "*") continue;
    if (origin.find('*') != origin.npos)
      warn(option,
           fmt::format("{} is compared as it stands: patterns belong in accessControlAllowOriginListRegex",
                       quoted(origin)),
           notices);
    else if (!is_sent_by_browsers(origin))
      warn(
          option,
          fmt::format("{} is sent by no browser: an origin is scheme, host and, unless usual, port, in lower "
                      "case, such as https://app.example.com",
                      quoted(origin)),
          notices);
  }
}

}  // namespace fairlead::middleware
