#include "engine/middleware/source.h"

#include "engine/exchange/test_exchange.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(Source, FallsBackToWhatItsMiddlewareCountsBy) {
  auto x = test::get("/");

  EXPECT_EQ(Source::make({}, Source::Kind::Host)->of(x), "example.com");
  EXPECT_EQ(Source::make({}, Source::Kind::Ip)->of(x), "192.0.2.7");
}

TEST(Source, CountsByTheValueOfAHeader) {
  auto x = test::get("/");
  x.header("X-Tenant", "blue");

  EXPECT_EQ(Source::make(SourceCriterionOptions{.request_header_name = "x-tenant"}, Source::Kind::Ip)->of(x),
            "blue");
}

TEST(Source, CountsByAddressBehindProxies) {
  auto x = test::get("/");
  x.header("X-Forwarded-For", "1.1.1.1");
  const SourceCriterionOptions options{.ip_strategy = IpStrategyOptions{.depth = 1}};

  EXPECT_EQ(Source::make(options, Source::Kind::Host)->of(x), "1.1.1.1");
}

TEST(Source, RefusesTwoChoices) {
  const SourceCriterionOptions options{.request_header_name = "X-Tenant", .request_host = true};

  EXPECT_EQ(Source::make(options, Source::Kind::Ip).error().path, "sourceCriterion");
}

}  // namespace
}  // namespace fairlead::middleware
