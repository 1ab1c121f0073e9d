#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <string>

namespace fairlead::middleware {

struct AddPrefixOptions {
  std::string prefix;
};

// Puts a fixed prefix in front of the request path; the query is not touched. Never answers by itself.
class AddPrefix final : public exchange::HeadMiddleware {
 public:
  using Options = AddPrefixOptions;
  static Configured<std::shared_ptr<const AddPrefix>> make(Options options, Making& making);
  explicit AddPrefix(std::string prefix) : prefix_(std::move(prefix)) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const std::string prefix_;  // escaped, begins with '/'
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::AddPrefixOptions> = table(
    option<&middleware::AddPrefixOptions::prefix>("prefix", "Put in front of the request path.",
                                                  {.check = not_empty, .always = true, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::AddPrefixOptions>());
