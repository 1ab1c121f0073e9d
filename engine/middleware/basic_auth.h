#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/auth_users.h"
#include "engine/middleware/registry.h"
#include "engine/middleware/success_cache.h"
#include "engine/schema/option.h"

#include <memory>
#include <string>
#include <vector>

namespace fairlead::middleware {

struct BasicCredentials;

struct BasicAuthOptions {
  std::vector<std::string> users;
  std::string users_file;
  std::string realm;
  bool remove_header = false;
  std::string header_field;
};

// Asks for a user and a password (RFC 7617). Hashes are computed on the lane of hashes; passwords that were
// right lately are remembered. An unknown user costs what a known one with a wrong password costs.
class BasicAuth final : public exchange::Middleware {
 public:
  using Options = BasicAuthOptions;
  static Configured<std::shared_ptr<const BasicAuth>> make(Options options, Making& making);

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  Task<exchange::Response> verify(exchange::Exchange& x, exchange::Next next, BasicCredentials credentials,
                                  std::string hash, bool known) const;

  Options options_;
  std::string challenge_;
  std::shared_ptr<AuthUsers> users_;
  std::shared_ptr<SuccessCache> cache_;
};

// Complaints of a header name and a realm that could not be sent.
schema::Complaint header_name_or_empty(std::string_view text);
schema::Complaint realm_text(std::string_view text);

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::BasicAuthOptions> =
    table(option<&middleware::BasicAuthOptions::users>(
              "users", "Users as `name:hash`, as htpasswd prints them.", {.secret = true}),
          option<&middleware::BasicAuthOptions::users_file>(
              "usersFile", "File of such entries, one per line; read again when it changes."),
          option<&middleware::BasicAuthOptions::realm>("realm",
                                                       "Name shown with the question; `traefik` when empty.",
                                                       {.check = middleware::realm_text, .tier = Tier::T2}),
          option<&middleware::BasicAuthOptions::remove_header>(
              "removeHeader", "Do not pass Authorization on to the server.", {.tier = Tier::T2}),
          option<&middleware::BasicAuthOptions::header_field>(
              "headerField", "Header that tells the server the user's name.",
              {.check = middleware::header_name_or_empty, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::BasicAuthOptions>());
