#include "engine/middleware/chain.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

#include <map>

namespace fairlead::middleware {
namespace {

// A configuration that makes members as a compiler of snapshots does.
struct Config {
  struct Element {
    const char* type;
    schema::Node options;
  };
  std::map<std::string, Element, std::less<>> elements;
  exchange::CarryOver carry_over;

  Configured<MiddlewarePtr> make(std::string_view name, std::vector<std::string> outer = {}) {
    const auto found = elements.find(name);
    if (found == elements.end()) return misconfigured("", "does not exist");
    Making making{.name = std::string(name) + "@docker",
                  .carry_over = carry_over,
                  .service = nullptr,
                  .middleware = nullptr,
                  .outer_chains = outer};
    outer.push_back(making.name);
    making.middleware = [&](std::string_view member) { return make(member, outer); };
    return middleware::find(found->second.type)->make(found->second.options, making);
  }
};

TEST(Chain, RunsItsMembersInOrderThoseOfInnerChainsToo) {
  Config config{.elements = {{"a", {"addPrefix", test::options({{"prefix", "/a"}})}},
                             {"b", {"addPrefix", test::options({{"prefix", "/b"}})}},
                             {"inner", {"chain", test::options({{"middlewares", "b"}})}},
                             {"outer", {"chain", test::options({{"middlewares", "a, inner, a"}})}}},
                .carry_over = {}};
  const auto made = config.make("outer");
  ASSERT_TRUE(made) << made.error().what;
  auto x = test::get("/x");

  test::run(**made, x);

  EXPECT_EQ(x.request.path, "/a/b/a/x");
}

TEST(Chain, FindsThatItContainsItself) {
  Config config{.elements = {{"a", {"chain", test::options({{"middlewares", "b"}})}},
                             {"b", {"chain", test::options({{"middlewares", "a"}})}}},
                .carry_over = {}};

  EXPECT_EQ(config.make("a").error().what, "b@docker: recursion detected in a@docker->b@docker->a@docker");
}

TEST(Chain, IsBrokenWhenItsInnerChainsMultiply) {
  Config config{.elements = {{"last", {"addPrefix", test::options({{"prefix", "/a"}})}}}, .carry_over = {}};
  std::string inner = "last";
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {  // ten each: a hundred million
    std::string ten;
    for (int i = 0; i < 10; ++i) ten += (i > 0 ? ", " : "") + inner;
    config.elements[name] = {"chain", test::options({{"middlewares", ten}})};
    inner = name;
  }

  EXPECT_TRUE(config.make("b")) << "a hundred are allowed";
  EXPECT_NE(config.make("h").error().what.find("come to more than 100"), std::string::npos);
}

TEST(Chain, IsBrokenByAMemberThatDoesNotExist) {
  Config config{.elements = {{"a", {"chain", test::options({{"middlewares", "b"}})}}}, .carry_over = {}};

  EXPECT_EQ(config.make("a").error().what, "b@docker: does not exist");
}

}  // namespace
}  // namespace fairlead::middleware
