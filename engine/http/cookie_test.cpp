#include "engine/http/cookie.h"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs read(std::string_view value) {
  Pairs out;
  for (const auto& [name, text] : Cookies(value)) out.emplace_back(name, text);
  return out;
}

TEST(Cookies, AreReadInOrderRfc6265Section42) {
  EXPECT_EQ(read("a=1; b=2;c=3"), (Pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(read("a=\"1\"; b=x=y; c="), (Pairs{{"a", "1"}, {"b", "x=y"}, {"c", ""}}));
  EXPECT_EQ(read("a"), (Pairs{{"a", ""}}));
  EXPECT_EQ(read(" ; ;; a=1 ; "), (Pairs{{"a", "1"}}));
  EXPECT_EQ(read(""), Pairs{});
}

TEST(Cookies, SkipsWhatIsNone) {
  EXPECT_EQ(read("a b=1; =2; c=\\; d=\"; e=\xc3\xa4; f=6"), (Pairs{{"f", "6"}}));
}

TEST(SetCookieFormat, WritesAttributesInGosOrder) {
  EXPECT_EQ(format({.name = "a",
                    .value = "b",
                    .path = "/",
                    .domain = ".example.com",
                    .max_age = 60,
                    .http_only = true,
                    .secure = true,
                    .same_site = SameSite::Lax}),
            "a=b; Path=/; Domain=example.com; Max-Age=60; HttpOnly; Secure; SameSite=Lax");
  EXPECT_EQ(format({.name = "a", .value = "b"}), "a=b");
  EXPECT_EQ(format({.name = "a", .max_age = -5, .same_site = SameSite::None}),
            "a=; Max-Age=0; SameSite=None");
  EXPECT_EQ(format({.name = "a", .same_site = SameSite::Strict}), "a=; SameSite=Strict");
}

TEST(SetCookieFormat, LeavesOutWhatCouldBreakTheLine) {
  EXPECT_EQ(format({.name = "a",
                    .value = "b\r\n;\"\\\x7f"
                             "c",
                    .path = "/x;\r\ny"}),
            "a=bc; Path=/xy");
  EXPECT_EQ(format({.name = "a", .value = "b c,d"}), "a=\"b c,d\"");
  EXPECT_EQ(format({.name = "a b"}), "");
  EXPECT_EQ(format({.name = ""}), "");
}

TEST(SetCookieFormat, TakesDomainsAsGoDoes) {
  EXPECT_EQ(format({.name = "a", .domain = "1.2.3.4"}), "a=; Domain=1.2.3.4");
  for (const char* domain : {"a..b", "-a", "a-", "a b", "a;b", ".", "1.2.3", "::1", "a_b"})
    EXPECT_EQ(format({.name = "a", .domain = domain}), "a=") << domain;
}

TEST(CookieName, IsMadeATokenWithUnderscores) {
  EXPECT_EQ(sanitize_cookie_name("my cookie;=x"), "my_cookie__x");
  EXPECT_EQ(sanitize_cookie_name("_1a2b3"), "_1a2b3");
  EXPECT_EQ(sanitize_cookie_name("größe"), "gr__e");
  EXPECT_EQ(sanitize_cookie_name("é"), "_");
  EXPECT_EQ(sanitize_cookie_name("\x80"), "_");
}

}  // namespace
}  // namespace fairlead::http
