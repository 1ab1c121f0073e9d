#include "engine/middleware/rate_limit.h"

#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace fairlead::middleware {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

BucketRules rules(std::int64_t average, std::int64_t burst, schema::Duration period = 1s) {
  RateLimitOptions options;
  options.average = average;
  options.burst = burst;
  options.period = period;
  return bucket_rules(options);
}
constexpr TimePoint kStart{1h};

TEST(TokenBuckets, ABurstPassesAndWhatFollowsWaitsForItsToken) {
  TokenBuckets buckets(rules(10, 3));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(buckets.take("a", kStart).wait, 0ns);

  const auto refused = buckets.take("a", kStart);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.wait, 100ms);
  EXPECT_FALSE(buckets.take("a", kStart + 1ms).allowed) << "a refused request takes no token";
  const auto delayed = buckets.take("a", kStart + 60ms);
  EXPECT_TRUE(delayed.allowed);
  EXPECT_EQ(delayed.wait, 40ms);
  EXPECT_EQ(buckets.take("b", kStart).wait, 0ns) << "another source";
}

TEST(TokenBuckets, TheLongestDelayIsHalfAnIntervalOrHalfASecond) {
  EXPECT_EQ(rules(10, 1).max_delay, 50ms);
  EXPECT_EQ(rules(1, 1).max_delay, 500ms);
  EXPECT_EQ(rules(1, 1, 1min).max_delay, 500ms);
  EXPECT_EQ(rules(15, 1, 10s).max_delay, 500ms);
}

TEST(TokenBuckets, TheRateHoldsOverTime) {
  TokenBuckets buckets(rules(100, 20));
  int allowed = 0;
  for (TimePoint now = kStart; now < kStart + 10s; now += 1ms)
    allowed += buckets.take("a", now).allowed ? 1 : 0;

  EXPECT_NEAR(allowed, 1020, 2);
}

TEST(TokenBuckets, ASilentSourceStartsAnew) {
  TokenBuckets buckets(rules(1, 5));
  for (int i = 0; i < 5; ++i) buckets.take("a", kStart);
  EXPECT_EQ(rules(1, 5).forget_after, 2s);
  EXPECT_EQ(rules(1, 5, 1min).forget_after, 61s);

  for (int i = 0; i < 5; ++i) EXPECT_EQ(buckets.take("a", kStart + 2001ms).wait, 0ns);
  EXPECT_GT(buckets.take("a", kStart + 2001ms).wait, 0ns);
}

TEST(TokenBuckets, HugeNumbersDoNotOverflow) {
  TokenBuckets large(rules(std::int64_t{1} << 62, std::int64_t{1} << 62));
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(large.take("a", kStart).allowed);
  TokenBuckets slow(rules(1, std::int64_t{1} << 62, 24h * 365));
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(slow.take("a", kStart).allowed);
}

TEST(TokenBuckets, ManySourcesAreBoundedAndTheirLimitsHold) {
  TokenBuckets buckets(rules(1, 1, 1h));
  for (int i = 0; i < 200'000; ++i) EXPECT_TRUE(buckets.take(std::to_string(i), kStart).allowed);

  EXPECT_FALSE(buckets.take("199999", kStart).allowed);
  EXPECT_FALSE(buckets.take(std::string(10'000, 'x') + "1", kStart).allowed == false);
}

TEST(TokenBuckets, OwnerAndSourceAreNotRunTogether) {
  TokenBuckets buckets(rules(1, 1, 1h));

  EXPECT_TRUE(buckets.take("c", kStart, "ab").allowed);
  EXPECT_TRUE(buckets.take("bc", kStart, "a").allowed);
  EXPECT_FALSE(buckets.take("c", kStart, "ab").allowed);
}

TEST(TokenBuckets, WorkersShareOneLimit) {
  TokenBuckets buckets(rules(1, 1000, 1h));
  std::atomic<int> allowed = 0;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker)
    workers.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) allowed += buckets.take("a", kStart).allowed ? 1 : 0;
    });
  for (std::thread& worker : workers) worker.join();

  EXPECT_EQ(allowed.load(), 1000);
}

TEST(RateLimit, AnswersWithTheTimeToRetry) {
  const test::Made made("rateLimit", {{"average", "1"}, {"period", "1m"}, {"burst", "2"}});
  ASSERT_TRUE(made) << made.error();
  auto x = test::get("/");
  EXPECT_EQ(test::run(*made, x).head.status, 200);
  EXPECT_EQ(test::run(*made, x).head.status, 200);

  const exchange::Response response = test::run(*made, x);

  EXPECT_EQ(response.head.status, 429);
  EXPECT_EQ(response.head.fields.get("Retry-After"), "60");
  EXPECT_EQ(response.head.fields.get("X-Retry-In"), "1m0s");
  EXPECT_EQ(test::text_of(response.body), "Too Many Requests");
  EXPECT_EQ(x.record.cause->detail, "more requests than rateLimit lets pass");
}

TEST(RateLimit, DelaysWhatIsOnlyALittleEarly) {
  const test::Made made("rateLimit", {{"average", "100"}, {"burst", "1"}});
  auto x = test::get("/");
  x.loop.run_once(0ns);
  const test::StubService service;
  int passed = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000 && passed < 4; ++i) {
    x.loop.run_once(1ms);
    if (test::run_waiting(*made, x, service).head.status == 200) ++passed;
  }

  EXPECT_EQ(passed, 4);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 30ms - 1ms);
}

TEST(RateLimit, CountsByTheSourceThatIsAskedFor) {
  const test::Made made(
      "rateLimit", {{"average", "1"}, {"period", "1m"}, {"sourceCriterion.requestHeaderName", "X-Tenant"}});
  ASSERT_TRUE(made) << made.error();
  for (const int expected : {200, 429}) {
    auto a = test::get("/");
    auto b = test::get("/");
    a.header("X-Tenant", "a");
    b.header("x-tenant", "b");
    EXPECT_EQ(test::run(*made, a).head.status, expected);
    EXPECT_EQ(test::run(*made, b).head.status, expected);
  }
}

TEST(RateLimit, EachRouterHasItsOwnLimit) {
  const test::Made made("rateLimit", {{"average", "1"}, {"period", "1m"}});
  ASSERT_TRUE(made) << made.error();
  for (const int expected : {200, 429})
    for (const std::string_view router : {"shop@docker", "blog@docker"}) {
      auto x = test::get("/");
      x.router_name = router;

      EXPECT_EQ(test::run(*made, x).head.status, expected) << router;
    }
}

TEST(RateLimit, ZeroMeansNoLimitAlsoWithRedis) {
  for (const test::Made& made : {test::Made("rateLimit", {{"burst", "1"}}),
                                 test::Made("rateLimit", {{"redis.endpoints", "127.0.0.1:1"}})}) {
    auto x = test::get("/");
    for (int i = 0; i < 10; ++i) EXPECT_EQ(test::run(*made, x).head.status, 200);
  }
}

TEST(RateLimit, KeepsItsBucketsWhenTheDefinitionIsUnchanged) {
  exchange::CarryOver carry_over;
  const auto make = [&](const schema::Node& node) {
    Making making{
        .name = "limit@docker", .carry_over = carry_over, .service = nullptr, .middleware = nullptr};
    return find("rateLimit")->make(node, making).value();
  };
  const auto node = test::options({{"average", "1"}, {"period", "1m"}});
  const auto before = make(node);
  auto x = test::get("/");
  EXPECT_EQ(test::run(*before, x).head.status, 200);

  EXPECT_EQ(test::run(*make(node), x).head.status, 429);
  EXPECT_EQ(test::run(*make(test::options({{"average", "1"}, {"period", "2m"}})), x).head.status, 200);
}

TEST(RateLimit, RefusesWhatCannotBe) {
  EXPECT_THAT(test::Made("rateLimit", {{"average", "-1"}}).error(), HasSubstr("average"));
  EXPECT_THAT(test::Made("rateLimit", {{"period", "-1s"}}).error(), HasSubstr("period"));
  EXPECT_THAT(test::Made("rateLimit", {{"average", "1"}, {"redis.endpoints", "nonsense:port"}}).error(),
              HasSubstr("redis.endpoints"));
}

TEST(RateLimit, AnAbsentRedisAnswers500) {
  const test::Made made("rateLimit", {{"average", "1"}, {"redis.endpoints", "127.0.0.1:1"}});
  ASSERT_TRUE(made) << made.error();
  auto x = test::get("/");

  EXPECT_EQ(test::run_waiting(*made, x, test::StubService()).head.status, 500);
}

}  // namespace
}  // namespace fairlead::middleware
