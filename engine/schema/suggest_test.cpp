#include "engine/schema/suggest.h"

#include "engine/schema/sample_test.h"

#include <gtest/gtest.h>

namespace fairlead::schema {
namespace {

TEST(Distance, CountsASwapOfNeighboursAsOne) {
  EXPECT_EQ(distance("prot", "port"), 1u);
  EXPECT_EQ(distance("rule", "rule"), 0u);
  EXPECT_EQ(distance("Rule", "rule"), 0u);
  EXPECT_EQ(distance("entrypoint", "entrypoints"), 1u);
  EXPECT_EQ(distance("", "abc"), 3u);
  EXPECT_EQ(distance("kitten", "sitting"), 3u);
}

TEST(NearestOption, FindsAMisspeltSibling) {
  const TypeInfo& router = type_of<sample::Router>();

  EXPECT_EQ(nearest_option(router, "middleware", true), "middlewares");
  EXPECT_EQ(nearest_option(router, "entrypoint", true), "entrypoints");
  EXPECT_EQ(nearest_option(router, "entrypoint", false), "entryPoints");
  EXPECT_EQ(nearest_option(router, "tsl.certresolver", true), "tls.certresolver");
}

TEST(NearestOption, FindsAnOptionOneLevelDeeper) {
  EXPECT_EQ(nearest_option(type_of<sample::LoadBalancer>(), "prot", true), "server.port");
  EXPECT_EQ(nearest_option(type_of<sample::Service>(), "port", true), "loadbalancer.server.port");
  EXPECT_EQ(nearest_option(type_of<sample::Router>(), "certresolver", true), "tls.certresolver");
}

TEST(NearestOption, MendsTheFirstSegmentBeforeFreeNames) {
  EXPECT_EQ(nearest_option(type_of<sample::Http>(), "router.web.rule", true), "routers.web.rule");
}

TEST(NearestOption, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest_option(type_of<sample::Router>(), "xyzzy", true), "");
}

TEST(SameOptionElsewhere, FindsTheRightSection) {
  EXPECT_EQ(same_option_elsewhere(type_of<sample::Root>(), "loadbalancer.server.port", true),
            "http.services.<name>.loadbalancer.server.port");
}

TEST(NearestChoice, ComparesWithEachChoice) {
  EXPECT_EQ(nearest_choice("wrr|p2c|hrw", "wwr"), "wrr");
  EXPECT_EQ(nearest_choice("DEBUG|INFO", "debg"), "DEBUG");
  EXPECT_EQ(nearest_choice("wrr|p2c|hrw", "random"), "");
}

}  // namespace
}  // namespace fairlead::schema
