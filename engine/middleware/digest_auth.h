#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/auth_users.h"
#include "engine/middleware/basic_auth.h"
#include "engine/middleware/digest_nonces.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::middleware {

struct DigestAuthOptions {
  std::vector<std::string> users;
  std::string users_file;
  std::string realm;
  bool remove_header = false;
  std::string header_field;
};

// Asks for a user and proof of a password (RFC 7616, MD5, qop=auth). Nonces live for an hour and each of
// their counts is good once. An unknown user is refused, at the cost of a known one.
class DigestAuth final : public exchange::HeadMiddleware {
 public:
  using Options = DigestAuthOptions;
  static Configured<std::shared_ptr<const DigestAuth>> make(Options options, Making& making);

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  using Parameters = std::map<std::string, std::string>;
  bool is_well_formed(const exchange::Exchange& x, const Parameters& given) const;
  bool proves(const exchange::Exchange& x, const Parameters& given) const;
  exchange::Response ask(exchange::Exchange& x, std::string why, bool stale = false) const;

  Options options_;
  std::string opaque_;
  std::shared_ptr<AuthUsers> users_;
  std::shared_ptr<DigestNonces> nonces_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::DigestAuthOptions> = table(
    option<&middleware::DigestAuthOptions::users>(
        "users", "Users as `name:realm:HA1`, as htdigest prints them.", {.secret = true, .tier = Tier::T2}),
    option<&middleware::DigestAuthOptions::users_file>(
        "usersFile", "File of such entries, one per line; read again when it changes.", {.tier = Tier::T2}),
    option<&middleware::DigestAuthOptions::realm>("realm",
                                                  "Name shown with the question; `traefik` when empty.",
                                                  {.check = middleware::realm_text, .tier = Tier::T2}),
    option<&middleware::DigestAuthOptions::remove_header>(
        "removeHeader", "Do not pass Authorization on to the server.", {.tier = Tier::T2}),
    option<&middleware::DigestAuthOptions::header_field>(
        "headerField", "Header that tells the server the user's name.",
        {.check = middleware::header_name_or_empty, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::DigestAuthOptions>());
