#pragma once

#include "acme/solver.h"
#include "engine/base/clock.h"
#include "engine/base/result.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What an authority says, read from JSON (RFC 8555 §7, RFC 9773 §4). It may be anybody's bytes: what is
// missing or of the wrong type is an error or stays empty, and nothing is believed to be short.
namespace fairlead::acme {

// A failure in the authority's own words (RFC 8555 §6.7, RFC 7807).
struct Problem {
  struct Part {
    std::string name;  // of the identifier it is about
    std::string type;
    std::string detail;
  };
  long status = 0;
  std::string type;  // "rateLimited": without "urn:ietf:params:acme:error:"
  std::string detail;
  std::vector<Part> parts;
  std::optional<Duration> retry_after;

  bool empty() const { return type.empty() && detail.empty(); }
  // "too many new orders; a.example: …"
  std::string words() const;
  // The same after its type: "rateLimited: too many new orders".
  std::string text() const;
};

struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string renewal_info;  // empty: no ARI
  bool needs_external_account = false;
  std::map<std::string, std::string> profiles;  // name → description
  std::vector<std::string> caa_identities;      // what CAA records call it (RFC 8555 §9.7.6)
};

struct Challenge {
  std::string type;
  std::string url;
  std::string token;
  std::string status;
  Problem error;
};

struct AuthorizationState {
  std::string name;
  bool is_address = false;
  bool wildcard = false;
  std::string status;
  std::vector<Challenge> challenges;
};

struct OrderState {
  std::string status;
  std::vector<std::string> authorizations;
  std::string finalize;
  std::string certificate;
  Problem error;
};

// When the authority would like a certificate to be renewed.
struct RenewalWindow {
  WallTime start;
  WallTime end;
  std::string explanation;  // URL; may be empty
};

Result<Directory> read_directory(std::string_view json);
Result<OrderState> read_order(std::string_view json);
Result<AuthorizationState> read_authorization(std::string_view json);
Result<RenewalWindow> read_renewal_window(std::string_view json);
// Never fails: without a problem document, `detail` tells the status and the beginning of the body.
Problem read_problem(long status, std::string_view body);

// The longest wait that an authority is believed to mean: Let's Encrypt's longest limit is of a week.
inline constexpr auto kLongestPatience = std::chrono::hours(24 * 8);
// Seconds or an HTTP date (RFC 9110 §10.2.3); nothing for anything else. Never negative, at most
// kLongestPatience.
std::optional<Duration> read_retry_after(std::string_view value, WallTime now);
// RFC 3339.
std::optional<WallTime> read_time(std::string_view text);
std::string time_text(WallTime time);  // "2026-11-25T23:05:10Z"

// What a type of problem means for the owner of a site, and what to do about it; may be empty.
std::string_view meaning(std::string_view type);
// The same of a problem that no name has: with the account, or with all orders.
std::string_view meaning_for_account(std::string_view type);

}  // namespace fairlead::acme
