#include "engine/middleware/basic_auth.h"

#include "engine/base/base64.h"
#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <thread>

namespace fairlead::middleware {
namespace {

using testing::HasSubstr;

constexpr const char* kTest = "test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/";  // password "test"

std::string basic(std::string_view credentials) { return "Basic " + base64(credentials); }

int status_of(const test::Made& made, test::TestExchange& x) {
  return test::run_waiting(*made, x, test::StubService()).head.status;
}
int status_of(const test::Made& made, std::string_view credentials) {
  auto x = test::get("/");
  x.header("Authorization", basic(credentials));
  return status_of(made, x);
}

TEST(BasicAuth, LetsTheRightPasswordPassAndNoOther) {
  const test::Made made("basicAuth", {{"users", kTest}});
  ASSERT_TRUE(made) << made.error();

  EXPECT_EQ(status_of(made, "test:test"), 200);
  EXPECT_EQ(status_of(made, "test:test"), 200) << "remembered";
  EXPECT_EQ(status_of(made, "test:Test"), 401);
  EXPECT_EQ(status_of(made, "test:"), 401);
  EXPECT_EQ(status_of(made, "other:test"), 401);
  EXPECT_EQ(status_of(made, ":test"), 401);
  EXPECT_EQ(status_of(made, "test"), 401);
}

TEST(BasicAuth, AsksWithTheRealm) {
  const test::Made made("basicAuth", {{"users", kTest}, {"realm", "the \"shop\""}});
  auto x = test::get("/");

  const exchange::Response response = test::run_waiting(*made, x, test::StubService());

  EXPECT_EQ(response.head.status, 401);
  EXPECT_EQ(response.head.fields.get("WWW-Authenticate"), R"(Basic realm="the \"shop\"")");
  EXPECT_EQ(test::text_of(response.body), "401 Unauthorized\n");
}

TEST(BasicAuth, SaysToTheLogsWhyButNotWhetherTheUserIsKnown) {
  const test::Made made("basicAuth", {{"users", kTest}});
  const auto why = [&](std::string_view authorization) {
    auto x = test::get("/");
    if (!authorization.empty()) x.header("Authorization", authorization);
    EXPECT_EQ(status_of(made, x), 401);
    return x.record.cause ? x.record.cause->detail : "";
  };

  EXPECT_EQ(why(""), "basicAuth: no credentials");
  EXPECT_EQ(why("Bearer abc"), "basicAuth: credentials of another kind, or malformed");
  EXPECT_EQ(why(basic("test:wrong")), "basicAuth: unknown user or wrong password");
  EXPECT_EQ(why(basic("nobody:test")), "basicAuth: unknown user or wrong password");
}

TEST(BasicAuth, TellsTheUserInTheHeaderSpelledAsGivenAndInNoDisguise) {
  const test::Made made("basicAuth",
                        {{"users", kTest}, {"headerField", "X_Web-User"}, {"removeHeader", "true"}});
  auto x = test::get("/");
  x.header("Authorization", basic("test:test")).header("x-web_user", "admin").header("X.Web.User", "admin");

  EXPECT_EQ(status_of(made, x), 200);

  ASSERT_EQ(x.request.fields.size(), 1u);
  EXPECT_EQ(x.request.fields.begin()->name, "X_Web-User");
  EXPECT_EQ(x.request.fields.begin()->value, "test");
  EXPECT_EQ(x.record.user, "test");
}

TEST(BasicAuth, SeveralAuthorizationLinesAreRefused) {
  const test::Made made("basicAuth", {{"users", kTest}});
  auto x = test::get("/");
  x.header("Authorization", basic("test:test")).header("authorization", basic("admin:x"));

  EXPECT_EQ(status_of(made, x), 401);
  EXPECT_EQ(x.record.user, "");
}

TEST(BasicAuth, MalformedCredentialsAreRefused) {
  const test::Made made("basicAuth", {{"users", kTest}});
  for (const char* value : {"", "Basic", "Basic ", "Basic dGVzdDp0ZXN0=", "Basic dGVz!Dp0ZXN0",
                            "Basic ====", "Bearer dGVzdDp0ZXN0", "Basic dGVzdA=="}) {
    auto x = test::get("/");
    x.header("Authorization", value);
    EXPECT_EQ(status_of(made, x), 401) << value;
  }
}

TEST(BasicAuth, AnUnknownUserNeverSharesASuccess) {
  const test::Made made("basicAuth", {{"users", kTest}});
  ASSERT_EQ(status_of(made, "test:test"), 200);

  for (int i = 0; i < 20; ++i) EXPECT_EQ(status_of(made, "u" + std::to_string(i) + ":test"), 401);
}

TEST(BasicAuth, RefusesEntriesThatCannotWork) {
  EXPECT_THAT(test::Made("basicAuth", {{"realm", "x"}}).error(), HasSubstr("users: "));
  EXPECT_THAT(test::Made("basicAuth", {{"users", "test"}}).error(), HasSubstr("name:hash"));
  EXPECT_THAT(test::Made("basicAuth", {{"users", "a:b:c"}}).error(), HasSubstr("more than one colon"));
  EXPECT_THAT(test::Made("basicAuth", {{"usersFile", "/nonexistent"}}).error(),
              HasSubstr("usersFile: open /nonexistent"));
  EXPECT_THAT(test::Made("basicAuth", {{"users", kTest}, {"headerField", "a b"}}).error(),
              HasSubstr("headerField"));
}

TEST(BasicAuth, AUserWithoutAUsableHashNeverLogsInAndHarmsNobodyElse) {
  for (const char* hash : {"secret", "/", "", "$apr1$H6uskkkW$Igx", "ab01FAX.bQRSU"}) {
    const test::Made made("basicAuth", {{"users", std::string(kTest) + ",jo:" + hash}});

    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(status_of(made, "test:test"), 200) << hash;
    EXPECT_EQ(status_of(made, std::string("jo:") + hash), 401) << hash;
    ASSERT_EQ(made.making.notices.size(), 1u) << hash;
    EXPECT_THAT(made.making.notices[0].what, HasSubstr("(jo)")) << hash;
  }
  const test::Made alone("basicAuth", {{"users", "jo:secret"}});
  ASSERT_TRUE(alone) << alone.error();
  EXPECT_EQ(status_of(alone, "jo:secret"), 401);
}

TEST(BasicAuth, ReadsTheUsersFileAgainAndKeepsTheLastGoodOne) {
  const std::string path = testing::TempDir() + "fairlead-users-" + std::to_string(::getpid());
  const auto write = [&](const std::string& text) { std::ofstream(path, std::ios::trunc) << text; };
  write(std::string("# people\n\n") + kTest + "\r\n");
  const test::Made made("basicAuth", {{"usersFile", path}});
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(status_of(made, "test:test"), 200);

  write("other:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n");
  WatchedFile::look_at_all();
  EXPECT_EQ(status_of(made, "other:test"), 200);
  EXPECT_EQ(status_of(made, "test:test"), 401);

  write("other:damaged\n");
  WatchedFile::look_at_all();
  EXPECT_EQ(status_of(made, "other:test"), 200);
  write("");
  WatchedFile::look_at_all();
  EXPECT_EQ(status_of(made, "other:test"), 200) << "an editor may be at work";
  std::remove(path.c_str());
  WatchedFile::look_at_all();
  EXPECT_EQ(status_of(made, "other:test"), 200);
}

TEST(SuccessCache, IsBounded) {
  SuccessCache cache(3);
  for (int i = 0; i < 10; ++i) cache.remember(SuccessCache::key("u", "h", std::to_string(i)));

  EXPECT_EQ(cache.size(), 3u);
  EXPECT_TRUE(cache.knows(SuccessCache::key("u", "h", "9")));
  EXPECT_FALSE(cache.knows(SuccessCache::key("u", "h", "0")));
}

TEST(SuccessCache, KeysAreNotAmbiguous) {
  EXPECT_NE(SuccessCache::key("ab", "c", "d"), SuccessCache::key("a", "bc", "d"));
  EXPECT_NE(SuccessCache::key("a", "b", "cd"), SuccessCache::key("a", "bc", "d"));
}

}  // namespace
}  // namespace fairlead::middleware
