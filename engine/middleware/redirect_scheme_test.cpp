#include "engine/middleware/redirect_scheme.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(RedirectScheme, SendsPlainRequestsToHttpsOnTheSameHostPathAndQuery) {
  const test::Made made("redirectScheme", {{"scheme", "https"}});
  test::TestExchange x("GET", "/cart?id=7", "Example.com:8080");

  const auto response = test::run(*made, x);

  EXPECT_EQ(response.head.status, 302);
  EXPECT_EQ(response.head.fields.get("Location"), "https://Example.com/cart?id=7");
  EXPECT_EQ(test::text_of(response.body), "Found");
}

TEST(RedirectScheme, KeepsTheSemicolonsOfTheQueryUnlessTheyAreEncoded) {
  const test::Made made("redirectScheme", {{"scheme", "https"}});
  auto parted = test::get("/a?b=1;c&d");
  parted.request.query = "b=1&c&d";
  auto encoded = test::get("/a?b=1;c&d");
  encoded.request.query = "b=1%3Bc&d";

  EXPECT_EQ(test::run(*made, parted).head.fields.get("Location"), "https://example.com/a?b=1;c&d");
  EXPECT_EQ(test::run(*made, encoded).head.fields.get("Location"), "https://example.com/a?b=1%3Bc&d");
}

TEST(RedirectScheme, ChoosesTheStatusByMethodAndPermanence) {
  const test::Made temporary("redirectScheme", {{"scheme", "https"}});
  const test::Made permanent("redirectScheme", {{"scheme", "https"}, {"permanent", "true"}});
  auto get = test::get("/");
  auto head = test::request("HEAD", "/");
  auto post = test::request("POST", "/");

  EXPECT_EQ(test::run(*permanent, get).head.status, 301);
  EXPECT_EQ(test::run(*temporary, head).head.status, 307);
  EXPECT_EQ(test::run(*permanent, post).head.status, 308);
}

TEST(RedirectScheme, PassesRequestsThatHaveTheSchemeAndPortAlready) {
  const test::Made made("redirectScheme", {{"scheme", "https"}, {"port", "443"}});
  auto x = test::get("/");
  x.over_tls();

  EXPECT_EQ(test::run(*made, x).head.status, 200);
}

TEST(RedirectScheme, TakesTheSchemeInAnyCase) {
  const test::Made made("redirectScheme", {{"scheme", "HTTPS"}, {"port", "443"}});
  auto plain = test::get("/");
  auto secure = test::get("/");
  secure.over_tls();

  EXPECT_EQ(test::run(*made, plain).head.status, 302);
  EXPECT_EQ(test::run(*made, secure).head.status, 200);
}

TEST(RedirectScheme, BelievesXForwardedProtoMoreThanTheConnection) {
  const test::Made made("redirectScheme", {{"scheme", "https"}});
  auto secure = test::get("/");
  secure.header("X-Forwarded-Proto", "wss");
  auto plain = test::get("/");
  plain.over_tls().header("X-Forwarded-Proto", "http");

  EXPECT_EQ(test::run(*made, secure).head.status, 200);
  EXPECT_EQ(test::run(*made, plain).head.status, 302);
}

TEST(RedirectScheme, NamesAPortThatIsNotTheUsualOne) {
  const test::Made made("redirectScheme", {{"scheme", "https"}, {"port", "8443"}});
  test::TestExchange x("GET", "/", "[::1]:80");

  EXPECT_EQ(test::run(*made, x).head.fields.get("Location"), "https://[::1]:8443/");
}

TEST(RedirectScheme, SendsAQuestionAboutTheWholeServerToTheServer) {
  const test::Made made("redirectScheme", {{"scheme", "https"}});
  test::TestExchange x("OPTIONS", "*", "example.com");

  EXPECT_EQ(test::run(*made, x).head.fields.get("Location"), "https://example.com");
}

TEST(RedirectScheme, IsBrokenWithoutAScheme) {
  EXPECT_EQ(test::Made("redirectScheme", {}).error(), "scheme: must not be empty");
}

}  // namespace
}  // namespace fairlead::middleware
