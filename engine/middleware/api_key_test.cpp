#include "engine/middleware/api_key.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

// printf %s secret | sha256sum
constexpr std::string_view kSecret = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

TEST(ApiKey, LetsAKnownKeyPassAndRemovesIt) {
  const test::Made made("apiKey", {{"keys", "ci:" + std::string(kSecret)}, {"headerField", "X-Key-Name"}});
  auto x = test::get("/");
  x.header("x-api-key", "secret").header("X_Key_Name", "forged");

  EXPECT_EQ(test::run(*made, x).head.status, 200);

  ASSERT_EQ(x.request.fields.size(), 1u);
  EXPECT_EQ(x.request.fields.get("X-Key-Name"), "ci");
  EXPECT_EQ(x.record.user, "ci");
}

TEST(ApiKey, Answers401WithoutAKnownKey) {
  const test::Made made("apiKey", {{"keys", kSecret}});
  auto none = test::get("/");
  auto wrong = test::get("/");
  wrong.header("X-API-Key", "Secret");

  EXPECT_EQ(test::run(*made, none).head.status, 401);
  EXPECT_EQ(test::run(*made, wrong).head.fields.get("WWW-Authenticate"), "ApiKey");
}

TEST(ApiKey, TakesTheKeyFromTheQueryAndHidesItFromTheServer) {
  const test::Made made("apiKey", {{"keys", kSecret}, {"query", "api key"}});
  auto x = test::get("/?a=1&api+key=%73ecret&b=%20");

  EXPECT_EQ(test::run(*made, x).head.status, 200);
  EXPECT_EQ(x.request.query, "a=1&b=%20");
}

TEST(ApiKey, TakesTheKeyFromACookieAndKeepsTheOthers) {
  const test::Made made("apiKey", {{"keys", kSecret}, {"cookie", "key"}});
  auto x = test::get("/");
  x.header("Cookie", "a=b; key=secret; c=d");

  EXPECT_EQ(test::run(*made, x).head.status, 200);
  EXPECT_EQ(x.request.fields.get("Cookie"), "a=b; c=d");
}

TEST(ApiKey, LeavesTheKeyWhenAsked) {
  const test::Made made("apiKey", {{"keys", kSecret}, {"header", "Authorization"}, {"keepKey", "true"}});
  auto x = test::get("/");
  x.header("Authorization", "Bearer secret");

  EXPECT_EQ(test::run(*made, x).head.status, 200);
  EXPECT_TRUE(x.request.fields.has("Authorization"));
}

TEST(ApiKey, IsBrokenByAKeyInClearTextWithoutRepeatingIt) {
  const std::string error = test::Made("apiKey", {{"keys", "ci:hunter2"}}).error();

  EXPECT_TRUE(error.starts_with("keys: key 1 is no SHA-256"));
  EXPECT_EQ(error.find("hunter2"), std::string::npos);
  EXPECT_EQ(test::Made("apiKey", {}).error(), "keys: must not be empty");
}

}  // namespace
}  // namespace fairlead::middleware
