#include "engine/routing/matcher_table.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace fairlead::routing {
namespace {

constexpr MatcherForm kHttpV3[] = {
    {"Host", Matcher::Host, Arguments::One},
    {"HostRegexp", Matcher::HostRegexp, Arguments::One},
    {"Path", Matcher::Path, Arguments::One},
    {"PathPrefix", Matcher::PathPrefix, Arguments::One},
    {"PathRegexp", Matcher::PathRegexp, Arguments::One},
    {"Method", Matcher::Method, Arguments::One},
    {"Header", Matcher::Header, Arguments::Pair},
    {"HeaderRegexp", Matcher::HeaderRegexp, Arguments::Pair},
    {"Query", Matcher::Query, Arguments::KeyAndValue},
    {"QueryRegexp", Matcher::QueryRegexp, Arguments::KeyAndValue},
    {"ClientIP", Matcher::ClientIp, Arguments::One},
};

constexpr MatcherForm kHttpV2[] = {
    {"Host", Matcher::Host, Arguments::One},
    {"HostHeader", Matcher::Host, Arguments::One},
    {"HostRegexp", Matcher::HostRegexp, Arguments::One},
    {"Path", Matcher::Path, Arguments::One},
    {"PathPrefix", Matcher::PathPrefix, Arguments::One},
    {"Method", Matcher::Method, Arguments::One},
    {"Headers", Matcher::Header, Arguments::Pairs},
    {"HeadersRegexp", Matcher::HeaderRegexp, Arguments::Pairs},
    {"Query", Matcher::Query, Arguments::Assignments},
    {"ClientIP", Matcher::ClientIp, Arguments::One},
};

constexpr MatcherForm kTcp[] = {
    {"HostSNI", Matcher::HostSni, Arguments::One},
    {"HostSNIRegexp", Matcher::HostSniRegexp, Arguments::One},
    {"ClientIP", Matcher::ClientIp, Arguments::One},
    {"ALPN", Matcher::Alpn, Arguments::One},
};

// Names of other places and times, and where their meaning went.
struct Elsewhere {
  std::string_view name;
  Protocol protocol;
  Syntax syntax;
  std::string_view remedy;
};

constexpr Elsewhere kElsewhere[] = {
    {"Headers", Protocol::Http, Syntax::V3, "this is v2 syntax; in v3 write Header(`name`, `value`)"},
    {"HeadersRegexp", Protocol::Http, Syntax::V3,
     "this is v2 syntax; in v3 write HeaderRegexp(`name`, `regexp`)"},
    {"HostHeader", Protocol::Http, Syntax::V3, "this is v2 syntax; in v3 write Host(`example.com`)"},
    {"Header", Protocol::Http, Syntax::V2, "this is v3 syntax; in v2 write Headers(`name`, `value`)"},
    {"HeaderRegexp", Protocol::Http, Syntax::V2,
     "this is v3 syntax; in v2 write HeadersRegexp(`name`, `regexp`)"},
    {"PathRegexp", Protocol::Http, Syntax::V2, "this is v3 syntax; in v2 write Path(`/{name:regexp}`)"},
    {"QueryRegexp", Protocol::Http, Syntax::V2, "this is v3 syntax; in v2 write Query(`key={name:regexp}`)"},
    {"PathStrip", Protocol::Http, Syntax::V3, "write Path(`/path`) and use the middleware stripPrefix"},
    {"PathPrefixStrip", Protocol::Http, Syntax::V3,
     "write PathPrefix(`/path`) and use the middleware stripPrefix"},
    {"PathPrefixStripRegex", Protocol::Http, Syntax::V3,
     "write PathRegexp(`^/path`) and use the middleware stripPrefixRegex"},
    {"AddPrefix", Protocol::Http, Syntax::V3, "this is a middleware, not a matcher"},
    {"ReplacePath", Protocol::Http, Syntax::V3, "this is a middleware, not a matcher"},
    {"StripPrefix", Protocol::Http, Syntax::V3, "this is a middleware, not a matcher"},
    {"HostSNI", Protocol::Http, Syntax::V3,
     "HostSNI is for TCP routers; an HTTP router takes Host(`example.com`)"},
    {"HostSNIRegexp", Protocol::Http, Syntax::V3,
     "HostSNIRegexp is for TCP routers; an HTTP router takes HostRegexp(`regexp`)"},
    {"HostSNI", Protocol::Http, Syntax::V2,
     "HostSNI is for TCP routers; an HTTP router takes Host(`example.com`)"},
    {"ALPN", Protocol::Http, Syntax::V3, "ALPN is for TCP routers"},
    {"Host", Protocol::Tcp, Syntax::V3,
     "Host is for HTTP routers; a TCP router takes HostSNI(`example.com`)"},
    {"Host", Protocol::Tcp, Syntax::V2,
     "Host is for HTTP routers; a TCP router takes HostSNI(`example.com`)"},
    {"HostRegexp", Protocol::Tcp, Syntax::V3,
     "HostRegexp is for HTTP routers; a TCP router takes HostSNIRegexp(`regexp`)"},
};

std::span<const MatcherForm> forms(Protocol protocol, Syntax syntax) {
  if (protocol == Protocol::Tcp) return kTcp;
  if (syntax == Syntax::V2) return kHttpV2;
  return kHttpV3;
}

bool is_spelling_of(std::string_view written, std::string_view name) {
  if (written == name) return true;
  if (!iequals(written, name)) return false;
  const std::string_view rest = written.substr(1);
  const bool rest_lower = std::ranges::none_of(rest, [](char c) { return to_lower(c) != c; });
  const bool all_upper = std::ranges::none_of(written, [](char c) { return to_upper(c) != c; });
  return rest_lower || all_upper;  // the first letter may be either before a lower-case rest
}

}  // namespace

const MatcherForm* find_form(std::string_view name, Protocol protocol, Syntax syntax) {
  for (const MatcherForm& form : forms(protocol, syntax))
    if (is_spelling_of(name, form.name)) return &form;
  return nullptr;
}

std::string form_remedy(std::string_view name, Protocol protocol, Syntax syntax) {
  for (const Elsewhere& known : kElsewhere)
    if (known.protocol == protocol && known.syntax == syntax && iequals(known.name, name))
      return std::string(known.remedy);
  if (iequals(name, "and") || iequals(name, "or") || iequals(name, "not"))
    return "operators are &&, || and !";

  constexpr std::size_t kLongestName = 64;  // longer ones are no misspelling, and the distance is quadratic
  const MatcherForm* nearest = nullptr;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  std::vector<std::string> names;
  for (const MatcherForm& form : forms(protocol, syntax)) {
    names.emplace_back(form.name);
    if (name.size() > kLongestName) continue;
    const std::size_t distance = edit_distance(lower(name), lower(form.name));
    if (distance < least) {
      least = distance;
      nearest = &form;
    }
  }
  if (nearest) return fmt::format("did you mean {}?", nearest->name);
  return fmt::format("there are {}", join(names, ", "));
}

}  // namespace fairlead::routing
