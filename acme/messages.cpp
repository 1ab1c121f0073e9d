#include "acme/messages.h"

#include "engine/base/strings.h"
#include "engine/base/utf8.h"

#include <curl/curl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace fairlead::acme {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kPrefix = "urn:ietf:params:acme:error:";
constexpr std::size_t kMaxText = 1024;   // bytes of a text that is shown
constexpr std::size_t kMaxItems = 1024;  // authorizations, challenges, parts of a problem

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A control character of ASCII or Latin 1, or one that changes lines or the direction of what follows.
bool is_control(std::string_view character) {
  if (character.size() == 1) return static_cast<unsigned char>(character[0]) < 0x20 || character[0] == 0x7f;
  if (character.size() == 2) return (character >= "\u0080" && character <= "\u009f") || character == "\u061c";
  return character.size() == 3 && (character == "\u200e" || character == "\u200f" ||
                                   (character >= "\u2028" && character <= "\u202e") ||
                                   (character >= "\u2066" && character <= "\u2069"));
}

// It ends up in logs and on pages: bounded, UTF-8, without control characters.
std::string shown(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    if (out.size() + character.size() > kMaxText) break;
    out += size == 0 || is_control(character) ? " " : character;
    text.remove_prefix(character.size());
  }
  return out;
}

std::string kind_of(std::string_view type) {
  if (type.starts_with(kPrefix)) type.remove_prefix(kPrefix.size());
  return shown(type);
}

Problem problem_of(const Json& json) {
  Problem out;
  if (!json.is_object()) return out;
  out.type = kind_of(text_at(json, "type"));
  out.detail = shown(text_at(json, "detail"));
  if (const auto status = json.find("status"); status != json.end() && status->is_number_integer())
    out.status = status->get<long>();
  const auto parts = json.find("subproblems");
  if (parts == json.end() || !parts->is_array()) return out;
  for (const Json& part : *parts) {
    if (!part.is_object() || out.parts.size() == kMaxItems) continue;
    const auto identifier = part.find("identifier");
    out.parts.push_back({.name = identifier != part.end() && identifier->is_object()
                                     ? lower(shown(text_at(*identifier, "value")))
                                     : "",
                         .type = kind_of(text_at(part, "type")),
                         .detail = shown(text_at(part, "detail"))});
  }
  return out;
}

Problem problem_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? Problem{} : problem_of(*found);
}

std::unexpected<Error> not_understood(std::string_view what) {
  return fail(502, Fault::Upstream, fmt::format("the authority's answer is no {}", what));
}

bool is_url(std::string_view text) { return text.starts_with("https://") || text.starts_with("http://"); }

}  // namespace

std::string Problem::words() const {
  std::string out = detail;
  for (const Part& part : parts)
    if (out.size() < kMaxText)
      out += fmt::format("{}{}{}{}", out.empty() ? "" : "; ", part.name, part.name.empty() ? "" : ": ",
                         part.detail.empty() ? part.type : part.detail);
  return out;
}

std::string Problem::text() const {
  const std::string said = words();
  return type.empty() ? said : said.empty() ? type : fmt::format("{}: {}", type, said);
}

Result<Directory> read_directory(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return not_understood("directory");
  Directory out{.new_nonce = text_at(json, "newNonce"),
                .new_account = text_at(json, "newAccount"),
                .new_order = text_at(json, "newOrder"),
                .renewal_info = text_at(json, "renewalInfo"),
                .profiles = {},
                .caa_identities = {}};
  if (!is_url(out.new_nonce) || !is_url(out.new_account) || !is_url(out.new_order))
    return not_understood("directory of RFC 8555");
  const auto meta = json.find("meta");
  if (meta == json.end() || !meta->is_object()) return out;
  if (const auto needs = meta->find("externalAccountRequired"); needs != meta->end() && needs->is_boolean())
    out.needs_external_account = needs->get<bool>();
  if (const auto profiles = meta->find("profiles"); profiles != meta->end() && profiles->is_object())
    for (const auto& [name, description] : profiles->items())
      if (out.profiles.size() < kMaxItems)
        out.profiles[name] = description.is_string() ? description.get<std::string>() : std::string();
  if (const auto known = meta->find("caaIdentities"); known != meta->end() && known->is_array())
    for (const auto& identity : *known)
      if (identity.is_string() && out.caa_identities.size() < kMaxItems)
        out.caa_identities.push_back(lower(identity.get<std::string>()));
  return out;
}

Result<OrderState> read_order(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return not_understood("order");
  OrderState out{.status = text_at(json, "status"),
                 .authorizations = {},
                 .finalize = text_at(json, "finalize"),
                 .certificate = text_at(json, "certificate"),
                 .error = problem_at(json, "error")};
  if (out.status.empty() || !is_url(out.finalize)) return not_understood("order");
  const auto list = json.find("authorizations");
  if (list != json.end() && list->is_array())
    for (const Json& url : *list)
      if (url.is_string() && out.authorizations.size() < kMaxItems)
        out.authorizations.push_back(url.get<std::string>());
  return out;
}

Result<AuthorizationState> read_authorization(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return not_understood("authorization");
  AuthorizationState out;
  out.status = text_at(json, "status");
  const auto identifier = json.find("identifier");
  if (out.status.empty() || identifier == json.end() || !identifier->is_object())
    return not_understood("authorization");
  out.name = lower(text_at(*identifier, "value"));
  out.is_address = text_at(*identifier, "type") == "ip";
  if (const auto wildcard = json.find("wildcard"); wildcard != json.end() && wildcard->is_boolean())
    out.wildcard = wildcard->get<bool>();
  const auto list = json.find("challenges");
  if (list == json.end() || !list->is_array()) return out;
  for (const Json& challenge : *list)
    if (challenge.is_object() && out.challenges.size() < kMaxItems)
      out.challenges.push_back({.type = text_at(challenge, "type"),
                                .url = text_at(challenge, "url"),
                                .token = text_at(challenge, "token"),
                                .status = text_at(challenge, "status"),
                                .error = problem_at(challenge, "error")});
  return out;
}

Result<RenewalWindow> read_renewal_window(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return not_understood("renewal information");
  const auto window = json.find("suggestedWindow");
  if (window == json.end() || !window->is_object()) return not_understood("renewal information");
  const auto start = read_time(text_at(*window, "start"));
  const auto end = read_time(text_at(*window, "end"));
  // RFC 9773 §4.2: a window that ends before it starts is to be treated as if there was none.
  if (!start || !end || *end <= *start) return not_understood("renewal information");
  return RenewalWindow{*start, *end, shown(text_at(json, "explanationURL"))};
}

Problem read_problem(long status, std::string_view body) {
  Problem out = problem_of(Json::parse(body, nullptr, false));
  out.status = status;
  if (out.empty()) {
    const std::string_view line = trim(body.substr(0, std::min<std::size_t>(body.find('\n'), 200)));
    out.detail =
        line.empty() ? fmt::format("status {}", status) : fmt::format("status {}: {}", status, shown(line));
  }
  return out;
}

std::optional<Duration> read_retry_after(std::string_view value, WallTime now) {
  value = trim(value);
  if (value.empty()) return std::nullopt;
  if (std::ranges::all_of(value, is_digit)) {
    // More than fits into a number is long.
    const auto seconds = parse_digits(value);
    constexpr auto kMost = std::chrono::seconds(kLongestPatience).count();
    return std::chrono::seconds(std::min<std::uint64_t>(seconds.value_or(kMost), kMost));
  }
  if (value.size() > 64) return std::nullopt;
  const time_t then = curl_getdate(std::string(value).c_str(), nullptr);
  if (then < 0) return std::nullopt;
  // WallTime ends in 2262.
  if (then > 9'000'000'000) return kLongestPatience;
  const Duration wait = WallTime(std::chrono::seconds(then)) - now;
  return std::clamp<Duration>(wait, Duration{}, kLongestPatience);
}

std::optional<WallTime> read_time(std::string_view text) {
  // 2026-11-25T23:05:10[.123](Z|+01:00)
  const auto number = [&text](std::size_t at, std::size_t size) -> int {
    const auto digits = text.size() >= at + size ? parse_digits(text.substr(at, size)) : std::nullopt;
    return digits ? static_cast<int>(*digits) : -1;
  };
  if (text.size() < 20 || text.size() > 48 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  std::tm parts{};
  parts.tm_year = number(0, 4) - 1900;
  parts.tm_mon = number(5, 2) - 1;
  parts.tm_mday = number(8, 2);
  parts.tm_hour = number(11, 2);
  parts.tm_min = number(14, 2);
  parts.tm_sec = number(17, 2);
  // WallTime counts nanoseconds in 64 bits: it ends in 2262.
  if (parts.tm_year < 70 || parts.tm_year > 340 || parts.tm_mon < 0 || parts.tm_mon > 11 ||
      parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour < 0 || parts.tm_hour > 23 ||
      parts.tm_min < 0 || parts.tm_min > 59 || parts.tm_sec < 0 || parts.tm_sec > 60)
    return std::nullopt;
  std::size_t at = 19;
  if (text[at] == '.') {
    ++at;
    const std::size_t first = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at == first) return std::nullopt;
  }
  std::chrono::seconds offset{};
  if (at + 1 == text.size() && to_lower(text[at]) == 'z') {
    // UTC
  } else if (at + 6 == text.size() && (text[at] == '+' || text[at] == '-') && text[at + 3] == ':') {
    const int hours = number(at + 1, 2);
    const int minutes = number(at + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    if (text[at] == '-') offset = -offset;
  } else {
    return std::nullopt;
  }
  return WallTime(std::chrono::seconds(::timegm(&parts)) - offset);
}

std::string time_text(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string_view meaning(std::string_view type) {
  struct Row {
    std::string_view type, words;
  };
  static constexpr std::array<Row, 19> kRows = {{
      {"clock", "the clock of this machine is wrong, or the authority's is"},
      {"connection",
       "the authority could not reach this host: is the name's DNS record this machine's address, and "
       "is the port (80 for HTTP-01, 443 for TLS-ALPN-01) open from the internet?"},
      {"dns", "the authority could not look the name up: check its A, AAAA or TXT records"},
      {"caa", "a CAA record of the name forbids this authority: add it there, or use another authority"},
      {"unauthorized",
       "the authority found another answer than ours: another server answers for this name, often "
       "an old AAAA record or a proxy in front"},
      {"incorrectResponse",
       "the authority found another answer than ours: another server answers for this name"},
      {"tls",
       "the authority could not do the TLS handshake on port 443: something in front ends TLS itself?"},
      {"rateLimited", "a limit of the authority is used up: nothing helps but waiting"},
      {"rejectedIdentifier", "the authority does not issue for this name"},
      {"unsupportedIdentifier", "the authority does not issue for names of this kind"},
      {"accountDoesNotExist", "the authority does not know the stored account: it is registered anew"},
      {"account",
       "the authority does not let this account order that: was it deactivated or revoked there? Without the "
       "`Account` of this resolver in the storage a new one is registered"},
      {"externalAccountRequired", "the authority wants an external account: set eab.kid and eab.hmacEncoded"},
      {"invalidContact", "the authority does not take the e-mail address of the resolver"},
      {"unsupportedContact", "the authority does not take the e-mail address of the resolver"},
      {"invalidProfile", "the authority has no profile of that name"},
      {"badCSR", "the authority does not take the request: keyType or emailAddresses?"},
      {"serverInternal", "the authority has trouble of its own: it is tried again"},
      {"userActionRequired", "the authority wants its terms to be agreed to by hand"},
  }};
  const auto found = std::ranges::find(kRows, type, &Row::type);
  return found == kRows.end() ? std::string_view() : found->words;
}

std::string_view meaning_for_account(std::string_view type) {
  if (type == "unauthorized")
    return "the authority does not accept the account: are eab.kid and eab.hmacEncoded what it gave out, and "
           "is the account in force there?";
  return meaning(type);
}

}  // namespace fairlead::acme
