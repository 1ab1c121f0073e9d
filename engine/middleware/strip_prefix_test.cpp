#include "engine/middleware/strip_prefix.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

// The path that reaches the server, or the status of the refusal.
std::string stripped(const test::Made& made, std::string_view path) {
  auto x = test::get(path);
  const exchange::Response response = test::run(*made, x);
  return response.head.status == 200 ? x.request.path : std::to_string(response.head.status);
}

TEST(StripPrefix, RemovesTheFirstListedPrefixThatMatches) {
  const test::Made made("stripPrefix", {{"prefixes", "/a, /a/b"}});

  EXPECT_EQ(stripped(made, "/a/b/c"), "/b/c");
}

TEST(StripPrefix, TellsTheServerWhatWasRemoved) {
  const test::Made made("stripPrefix", {{"prefixes", "/api"}});
  auto x = test::get("/api/cart");

  test::run(*made, x);

  EXPECT_EQ(x.request.fields.get("X-Forwarded-Prefix"), "/api");
}

TEST(StripPrefix, PassesOtherPathsUnchanged) {
  const test::Made made("stripPrefix", {{"prefixes", "/api"}});
  auto x = test::get("/web/cart");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/web/cart");
  EXPECT_FALSE(x.request.fields.has("X-Forwarded-Prefix"));
}

TEST(StripPrefix, ComparesTheDecodedPathAndCutsTheEscapedOne) {
  const test::Made made("stripPrefix", {{"prefixes", "/my api"}});

  EXPECT_EQ(stripped(made, "/my%20api/a%2Fb"), "/a%2Fb");
}

TEST(StripPrefix, PutsASlashBeforeARestThatHasNone) {
  const test::Made made("stripPrefix", {{"prefixes", "/api/"}});

  EXPECT_EQ(stripped(made, "/api/cart"), "/cart");
}

TEST(StripPrefix, LeavesAnEmptiedPathEmptyUnlessASlashIsForced) {
  EXPECT_EQ(stripped(test::Made("stripPrefix", {{"prefixes", "/api"}}), "/api"), "");
  EXPECT_EQ(stripped(test::Made("stripPrefix", {{"prefixes", "/api"}, {"forceSlash", "true"}}), "/api"), "/");
}

TEST(StripPrefix, RefusesWhatWouldLeaveDotSegments) {
  const test::Made made("stripPrefix", {{"prefixes", "/api"}});

  EXPECT_EQ(stripped(made, "/api../admin"), "400");
  EXPECT_EQ(stripped(made, "/api%2E%2E/admin"), "400");
}

TEST(StripPrefix, RefusesWhatWouldLeaveDoubledSlashes) {
  const test::Made made("stripPrefix", {{"prefixes", "/api"}});

  EXPECT_EQ(stripped(made, "/api//admin"), "400") << "sanitizePath may be off";
  EXPECT_EQ(stripped(made, "/web//admin"), "/web//admin");
}

TEST(StripPrefix, WarnsAboutTheDeprecatedOption) {
  const test::Made made("stripPrefix", {{"prefixes", "/api"}, {"forceSlash", "true"}});

  ASSERT_EQ(made.making.notices.size(), 1u);
  EXPECT_EQ(made.making.notices[0].what, "is deprecated");
}

TEST(StripPrefix, IsBrokenWithoutPrefixes) {
  EXPECT_EQ(test::Made("stripPrefix", {}).error(), "prefixes: must not be empty");
}

}  // namespace
}  // namespace fairlead::middleware
