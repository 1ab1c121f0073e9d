#include "engine/service/health_check.h"

#include <gtest/gtest.h>

namespace fairlead::service {
namespace {

upstream::ServerAddress server(std::string_view url) { return *upstream::ServerAddress::parse(url); }

struct Wanted {
  std::string path{};
  std::string scheme{};
  std::int64_t port = 0;
};

std::string where(std::string_view url, Wanted wanted) {
  model::HealthCheck check;
  check.path = wanted.path;
  check.scheme = wanted.scheme;
  check.port = wanted.port;
  return check_url(server(url), check);
}

TEST(CheckUrl, ResolvesThePathAgainstTheServer) {
  EXPECT_EQ(where("http://10.0.0.2:8080", {}), "http://10.0.0.2:8080/");
  EXPECT_EQ(where("http://10.0.0.2", {.path = "/health?full=1"}), "http://10.0.0.2/health?full=1");
  EXPECT_EQ(where("http://10.0.0.2:80/base", {.path = "health"}), "http://10.0.0.2:80/health");
  EXPECT_EQ(where("http://10.0.0.2:80/base/", {.path = "health"}), "http://10.0.0.2:80/base/health");
  EXPECT_EQ(where("http://10.0.0.2:80/base", {}), "http://10.0.0.2:80/base");
  EXPECT_EQ(where("http://[::1]:8080", {.path = "/"}), "http://[::1]:8080/");
}

TEST(CheckUrl, SendsWhatATargetMayHold) {
  EXPECT_EQ(where("http://10.0.0.2", {.path = "/how are you?full=a b"}),
            "http://10.0.0.2/how%20are%20you?full=a%20b");
  EXPECT_EQ(where("http://10.0.0.2", {.path = "/état"}), "http://10.0.0.2/%C3%A9tat");
  EXPECT_EQ(where("http://10.0.0.2/base/app", {.path = "./health"}), "http://10.0.0.2/base/health");
  EXPECT_EQ(where("http://10.0.0.2/base/app", {.path = "../health?of=/../x"}),
            "http://10.0.0.2/health?of=/../x");
}

TEST(CheckUrl, SchemeAndPortOfTheCheckReplaceTheServers) {
  EXPECT_EQ(where("http://10.0.0.2:8080", {.scheme = "https", .port = 9443}), "https://10.0.0.2:9443/");
  EXPECT_EQ(where("http://10.0.0.2:8080", {.scheme = "https"}), "https://10.0.0.2:8080/");
}

TEST(RedirectTarget, IsAbsoluteOrRelative) {
  const std::string url = "http://h:1/a/b?x";
  EXPECT_EQ(redirect_target(url, "https://other/c"), "https://other/c");
  EXPECT_EQ(redirect_target(url, "HTTPS://other/c d"), "HTTPS://other/c%20d");
  EXPECT_EQ(redirect_target(url, "//other/c"), "http://other/c");
  EXPECT_EQ(redirect_target(url, "/c#part"), "http://h:1/c");
  EXPECT_EQ(redirect_target(url, "c"), "http://h:1/a/c");
  EXPECT_EQ(redirect_target(url, "?y"), "http://h:1/a/b?y");
  EXPECT_EQ(redirect_target(url, "ftp://h/"), std::nullopt);
  EXPECT_EQ(redirect_target(url, "mailto:a"), std::nullopt);
  EXPECT_EQ(redirect_target(url, ""), std::nullopt);
}

class PassiveTest : public ::testing::Test {
 protected:
  PassiveTest() {
    set->service = "shop@file";
    set->transport = std::make_shared<upstream::TransportOptions>();
    set->servers.push_back({server("http://10.0.0.2"), 1, false, state});
    plan->service = set->service;
    plan->set = set;
    plan->transport = set->transport;
    plan->passive =
        model::PassiveHealthCheck{.failure_window = std::chrono::seconds(2), .max_failed_attempts = 1};
  }
  void pass(Duration time) {
    for (Duration step{}; step < time; step += std::chrono::milliseconds(100)) {
      clock.advance(std::chrono::milliseconds(100));
      loop.run_once({});
    }
  }

  ManualClock clock;
  event::Loop loop{clock};
  upstream::Pools pools{loop, 1};
  std::shared_ptr<upstream::ServerState> state = std::make_shared<upstream::ServerState>();
  std::shared_ptr<upstream::ServerSet> set = std::make_shared<upstream::ServerSet>();
  std::shared_ptr<HealthPlan> plan = std::make_shared<HealthPlan>();
  int changes = 0;
  HealthChecks checks{loop, pools, [this](const HealthPlan&) { ++changes; }};
};

TEST_F(PassiveTest, AServerComesBackAfterTheWindow) {
  checks.adopt({plan});
  state->health.fail({"status 500", {}, clock.now(), true});
  pass(std::chrono::milliseconds(500));
  EXPECT_EQ(changes, 1);
  EXPECT_FALSE(state->health.good());

  pass(std::chrono::seconds(2));
  EXPECT_TRUE(state->health.good());
  EXPECT_EQ(changes, 2);
}

TEST_F(PassiveTest, WithAnActiveCheckOnlyThatBringsItBack) {
  plan->active = model::HealthCheck{};
  checks.adopt({plan});
  state->health.fail({"status 500", {}, clock.now(), true});
  pass(std::chrono::seconds(5));

  EXPECT_FALSE(state->health.good());
}

TEST_F(PassiveTest, AnEqualPlanGoesOnAndAnEmptyOneEnds) {
  plan->active = model::HealthCheck{};
  checks.adopt({plan});
  checks.adopt({std::make_shared<HealthPlan>(*plan)});
  EXPECT_EQ(checks.size(), 1u);
  checks.adopt({});
  EXPECT_EQ(checks.size(), 0u);
}

TEST(FailureWindow, CountsWithinTheWindowOnly) {
  upstream::FailureWindow failures;
  const TimePoint start{std::chrono::seconds(100)};
  const Duration window = std::chrono::seconds(10);
  EXPECT_FALSE(failures.add(start, window, 3));
  EXPECT_FALSE(failures.add(start + std::chrono::seconds(1), window, 3));
  EXPECT_FALSE(failures.add(start + std::chrono::seconds(10), window, 3));
  EXPECT_TRUE(failures.add(start + std::chrono::milliseconds(10500), window, 3));
}

TEST(FailureWindow, ASuccessStartsAfresh) {
  upstream::FailureWindow failures;
  const TimePoint now{std::chrono::seconds(100)};
  EXPECT_FALSE(failures.add(now, std::chrono::seconds(10), 2));
  failures.clear();
  EXPECT_FALSE(failures.add(now, std::chrono::seconds(10), 2));
  EXPECT_TRUE(failures.add(now, std::chrono::seconds(10), 2));
}

}  // namespace
}  // namespace fairlead::service
