#pragma once

#include "engine/schema/option.h"

#include <cstdint>
#include <optional>
#include <string>

namespace fairlead::model {

// The cookie that ties a client to a server (or, in a weighted service, to a child).
struct Cookie {
  std::string name;  // empty: derived from the service's name
  bool secure = false;
  bool http_only = false;
  std::string same_site;     // none, lax, strict; anything else leaves the attribute out
  std::int64_t max_age = 0;  // seconds; 0: session cookie; negative: sent as Max-Age=0
  std::string path = "/";
  std::string domain;

  bool operator==(const Cookie&) const = default;
};

// Affinity; has an effect only with a cookie.
struct Sticky {
  std::optional<Cookie> cookie;

  bool operator==(const Sticky&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Cookie> = table(
    option<&model::Cookie::name>("name", "Name of the cookie; derived from the service's name when empty."),
    option<&model::Cookie::secure>("secure", "Send the cookie over HTTPS only."),
    option<&model::Cookie::http_only>("httpOnly", "Hide the cookie from scripts."),
    option<&model::Cookie::same_site>("sameSite",
                                      "SameSite attribute: none, lax or strict; absent otherwise."),
    option<&model::Cookie::max_age>("maxAge", "Lifetime in seconds; 0 ends with the browser session."),
    option<&model::Cookie::path>("path", "Path attribute."),
    option<&model::Cookie::domain>("domain", "Domain attribute; absent when empty."));
static_assert(fairlead::schema::complete<fairlead::model::Cookie>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Sticky> =
    table(option<&model::Sticky::cookie>("cookie", "Ties a client to its server by a cookie.",
                                         {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::Sticky>());
