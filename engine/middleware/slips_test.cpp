#include "engine/middleware/slips.h"

#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

// "option: what" of all that is told about a middleware, which works nevertheless.
std::string told(std::string_view type,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  const test::Made made(type, labels);
  EXPECT_TRUE(made) << made.error();
  std::string out;
  for (const schema::Problem& notice : made.making.notices) out += notice.path + ": " + notice.what + '\n';
  return out;
}

TEST(Slips, ADollarIsDoubledOutsideOfCompose) {
  const std::string replaced =
      told("redirectRegex", {{"regex", "^https://www\\.(.*)"}, {"replacement", "https://$${1}"}});

  EXPECT_TRUE(replaced.starts_with(R"(replacement: "https://$${1}" puts a dollar sign there)")) << replaced;
  EXPECT_NE(told("replacePathRegex", {{"regex", "^/a/(.*)"}, {"replacement", "/$$1"}}), "");
  EXPECT_EQ(told("redirectRegex", {{"regex", "(.*)"}, {"replacement", "https://a/?price=5$$&x=${1}"}}), "");
}

TEST(Slips, AReplacementNamesNoGroup) {
  EXPECT_EQ(told("redirectRegex", {{"regex", "^http://a/(.*)"}, {"replacement", "https://b/$1_x"}}),
            "replacement: \"https://b/$1_x\" leaves \"1_x\" out: the pattern has no group of that name; "
            "where letters follow a number, write ${1}\n");
  EXPECT_NE(told("replacePathRegex", {{"regex", "^/a/(.*)"}, {"replacement", "/$1/$2"}}), "");
  EXPECT_EQ(told("replacePathRegex", {{"regex", "^/a/(?P<rest>.*)"}, {"replacement", "/${1}_x/$rest/$0$"}}),
            "");
}

TEST(Slips, ACommaCutsAPattern) {
  EXPECT_EQ(
      told("stripPrefixRegex", {{"regex", "/v[0-9]{1,2},/ok"}}),
      "regex: \"/v[0-9]{1\" and \"2}\" look like one pattern cut at its comma: a label cannot hold it, a "
      "file can\n");
  EXPECT_NE(told("headers", {{"accessControlAllowOriginListRegex", "^https://[a-z]{2,}[.]example$"}}), "");
  EXPECT_EQ(told("stripPrefixRegex", {{"regex", "/v[0-9]{1},/w[0-9]{2}"}}), "");
}

TEST(Slips, SomeOriginsAreNeverSent) {
  const auto origin = [](std::string_view text) {
    return told("headers", {{"accessControlAllowOriginList", text}});
  };

  EXPECT_EQ(origin("*"), "");
  EXPECT_EQ(origin("null,https://a.example,http://localhost:3000,chrome-extension://abc,https://[::1]:8443"),
            "");
  EXPECT_NE(origin("https://*.example.com").find("accessControlAllowOriginListRegex"), std::string::npos);
  for (const std::string_view never : {"https://a.example/", "a.example", "https://A.example",
                                       "https://a.example:443", "http://a.example:80"})
    EXPECT_NE(origin(never).find("is sent by no browser"), std::string::npos) << never;
}

}  // namespace
}  // namespace fairlead::middleware
