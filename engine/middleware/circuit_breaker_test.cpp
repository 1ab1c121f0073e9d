#include "engine/middleware/circuit_breaker.h"

#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr TimePoint kStart{1h};

BreakerRules rules(std::string_view condition) {
  return {.condition = parse_breaker_condition(condition).value(),
          .check_period = 100ms,
          .fallback = 10s,
          .recovery = 10s};
}

Breaker breaker(std::string_view condition) {
  return Breaker(std::make_shared<const BreakerRules>(rules(condition)));
}

TEST(BreakerMetrics, CountsTheLastTenSeconds) {
  BreakerMetrics metrics(false);
  for (int i = 0; i < 4; ++i) metrics.record(200, 1ms, kStart);
  metrics.record(502, 1ms, kStart + 5s);

  EXPECT_EQ(metrics.total(kStart + 5s), 5);
  EXPECT_DOUBLE_EQ(metrics.network_error_ratio(kStart + 5s), 0.2);
  EXPECT_DOUBLE_EQ(metrics.code_ratio(500, 600, 0, 600, kStart + 5s), 0.2);
  EXPECT_EQ(metrics.total(kStart + 10s), 1);
  EXPECT_DOUBLE_EQ(metrics.network_error_ratio(kStart + 14s), 1);
  EXPECT_EQ(metrics.total(kStart + 15s), 0);
  EXPECT_DOUBLE_EQ(metrics.network_error_ratio(kStart + 15s), 0);
}

TEST(BreakerMetrics, QuantilesAreWithinOnePercent) {
  BreakerMetrics metrics(true);
  for (int ms = 1; ms <= 1000; ++ms) metrics.record(200, std::chrono::milliseconds(ms), kStart);

  EXPECT_NEAR(static_cast<double>(metrics.latency_ms(50, kStart)), 500, 5);
  EXPECT_NEAR(static_cast<double>(metrics.latency_ms(99, kStart)), 990, 10);
  EXPECT_NEAR(static_cast<double>(metrics.latency_ms(100, kStart)), 1000, 10);
  EXPECT_EQ(metrics.latency_ms(50, kStart + 70s), 0);
}

TEST(Breaker, TripsRecoversAndStandsByAgain) {
  Breaker own = breaker("NetworkErrorRatio() > 0.5");
  own.record(200, 1ms, kStart);
  own.record(502, 1ms, kStart + 50ms);
  own.record(502, 1ms, kStart + 60ms);
  EXPECT_EQ(own.state(), Breaker::State::Standby) << "looked at once per check period";

  own.record(504, 1ms, kStart + 101ms);

  EXPECT_EQ(own.state(), Breaker::State::Tripped);
  EXPECT_FALSE(own.lets_pass(kStart + 5s));
  int passed = 0;
  for (TimePoint now = kStart + 10200ms; now < kStart + 20s; now += 10ms)
    passed += own.lets_pass(now) ? 1 : 0;
  EXPECT_EQ(own.state(), Breaker::State::Recovering);
  EXPECT_GT(passed, 200);
  EXPECT_LT(passed, 490);
  EXPECT_TRUE(own.lets_pass(kStart + 21s));
  EXPECT_EQ(own.state(), Breaker::State::Standby);
}

TEST(Breaker, ABadConditionWhileRecoveringTripsAgain) {
  Breaker own = breaker("ResponseCodeRatio(500, 600, 0, 600) > 0.25 && RequestThreshold() > 1");
  own.record(500, 1ms, kStart);
  EXPECT_EQ(own.state(), Breaker::State::Standby);
  own.record(500, 1ms, kStart + 200ms);
  EXPECT_EQ(own.state(), Breaker::State::Tripped);
  own.lets_pass(kStart + 11s);
  ASSERT_EQ(own.state(), Breaker::State::Recovering);

  own.record(500, 1ms, kStart + 12s);
  own.record(500, 1ms, kStart + 13s);

  EXPECT_EQ(own.state(), Breaker::State::Tripped);
}

TEST(Breakers, ForgetRoutersAtRestAndNoOthers) {
  Breakers breakers(rules("NetworkErrorRatio() > 0.5"));
  breakers.of("bad", kStart)->record(502, 1ms, kStart);
  breakers.of("busy", kStart)->record(200, 1ms, kStart + 9s);
  const std::weak_ptr<Breaker> idle = breakers.of("idle", kStart);
  const std::weak_ptr<Breaker> busy = breakers.of("busy", kStart);

  for (int i = 0; i < 100; ++i) breakers.of("r" + std::to_string(i), kStart + 9s);

  EXPECT_FALSE(breakers.of("bad", kStart + 9s)->lets_pass(kStart + 9s));
  EXPECT_TRUE(idle.expired());
  EXPECT_EQ(busy.lock(), breakers.of("busy", kStart + 9s));
}

TEST(CircuitBreaker, ARouterWhoseServiceFailsClosesNoOther) {
  const test::Made made("circuitBreaker", {{"expression", "ResponseCodeRatio(500, 600, 0, 600) > 0.5"}});
  ASSERT_TRUE(made) << made.error();
  const auto status = [&](std::string_view router, int of_service) {
    auto x = test::get("/");
    x.router_name = router;
    const test::StubService service([&](exchange::Exchange& own) {
      exchange::Response response(own.arena());
      response.head.status = of_service;
      return response;
    });
    return test::run(*made, x, service).head.status;
  };

  EXPECT_EQ(status("bad@file", 500), 500);

  EXPECT_EQ(status("bad@file", 200), 503);
  EXPECT_EQ(status("good@file", 200), 200);
}

TEST(CircuitBreaker, AnswersWithItsCodeWhenTripped) {
  const test::Made made("circuitBreaker",
                        {{"expression", "LatencyAtQuantileMS(50.0) > -1"}, {"responseCode", "418"}});
  ASSERT_TRUE(made) << made.error();
  auto x = test::get("/");
  const test::StubService service;
  EXPECT_EQ(test::run(*made, x, service).head.status, 200);

  const exchange::Response response = test::run(*made, x, service);

  EXPECT_EQ(response.head.status, 418);
  EXPECT_EQ(test::text_of(response.body), "I'm a teapot");
  EXPECT_EQ(x.record.cause->detail, "the circuit breaker is open");
  EXPECT_EQ(service.calls, 1);
}

TEST(CircuitBreaker, ADurationOfZeroIsTheUsualOne) {
  const test::Made made("circuitBreaker", {{"expression", "RequestThreshold() > 1"}, {"checkPeriod", "0"}});
  ASSERT_TRUE(made) << made.error();
  auto x = test::get("/");  // its time stands still
  const test::StubService service;

  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(test::run(*made, x, service).head.status, 200) << "looked at once in 100 ms";
}

TEST(CircuitBreaker, RefusesWhatCannotBe) {
  EXPECT_THAT(test::Made("circuitBreaker", {{"checkPeriod", "1s"}}).error(), HasSubstr("expression"));
  EXPECT_THAT(test::Made("circuitBreaker", {{"expression", "NetworkErrorRatio() > 1"}}).error(),
              HasSubstr("decimal"));
}

}  // namespace
}  // namespace fairlead::middleware
