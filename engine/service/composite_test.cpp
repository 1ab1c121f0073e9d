#include "engine/exchange/jobs.h"
#include "engine/exchange/test_exchange.h"
#include "engine/service/failover.h"
#include "engine/service/mirroring.h"
#include "engine/service/weighted.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

namespace fairlead::service {
namespace {

using exchange::Exchange;
using exchange::Response;
using test::StubService;

struct FakeStatus final : Status {
  bool up(const upstream::Pools&) const override { return is_up; }
  bool is_up = true;
};

// A child that answers with its own name, or with what the test says.
struct FakeChild {
  explicit FakeChild(std::string child_name) : name(std::move(child_name)) {}

  Child child(int weight = 1) const { return {name, weight, service, status}; }

  std::string name;
  int answers_with = 200;
  bool refuses = false;
  bool could_hold = true;
  std::string got_body;
  std::shared_ptr<FakeStatus> status = std::make_shared<FakeStatus>();
  std::shared_ptr<StubService> service = std::make_shared<StubService>([this](Exchange& x) {
    could_hold = x.may_hold;
    if (refuses) {
      Response refused = exchange::answer(x, 502);
      refused.cause = Error{502, Fault::Upstream, true, "refused"};
      return refused;
    }
    got_body = test::text_of(x.body);
    Response response(x.arena());
    response.head.status = answers_with;
    response.body = http::text_body(x.arena().copy(name));
    return response;
  });
};

Response ask(const exchange::Service& service, Exchange& x) {
  Task<Response> task = service.serve(x);
  if (!task.done()) task.start(nullptr);
  FL_ASSERT(task.done(), "the test would have to turn the loop");
  return task.take();
}

std::string who(const exchange::Service& service) {
  auto x = test::get("/");
  return test::text_of(ask(service, x).body);
}

class CompositeTest : public ::testing::Test {
 protected:
  std::map<std::string, int> shares(const exchange::Service& service, int times) {
    std::map<std::string, int> counts;
    for (int i = 0; i < times; ++i) ++counts[who(service)];
    return counts;
  }
  Weighted weighted(int a_weight = 1, int b_weight = 1,
                    std::shared_ptr<const upstream::Sticky> sticky = nullptr) {
    return {{a.child(a_weight), b.child(b_weight)}, state, std::move(sticky)};
  }

  FakeChild a{"a"};
  FakeChild b{"b"};
  std::shared_ptr<upstream::ServiceState> state = std::make_shared<upstream::ServiceState>();
};

using WeightedTest = CompositeTest;
using FailoverTest = CompositeTest;
using MirroringTest = CompositeTest;

TEST_F(WeightedTest, SharesAThousandRequestsThreeToOne) {
  EXPECT_EQ(shares(weighted(3, 1), 1000), (std::map<std::string, int>{{"a", 750}, {"b", 250}}));
}

TEST_F(WeightedTest, NeverPicksAWeightOfZero) {
  EXPECT_EQ(shares(weighted(0, 1), 100), (std::map<std::string, int>{{"b", 100}}));
}

TEST_F(WeightedTest, GoesOnWhereTheOneBeforeStopped) {
  std::string first;
  std::string second;
  const Weighted all = weighted(3, 1);
  for (int i = 0; i < 8; ++i) first += who(all);
  state->position = 0;
  for (int i = 0; i < 8; ++i) second += who(weighted(3, 1));

  EXPECT_EQ(first, second);
}

TEST_F(WeightedTest, PassesAChildThatIsDown) {
  a.status->is_up = false;

  EXPECT_EQ(shares(weighted(3, 1), 20), (std::map<std::string, int>{{"b", 20}}));
  EXPECT_TRUE(b.could_hold);
}

TEST_F(WeightedTest, TheOthersShareAlikeWhenAChildIsDown) {
  FakeChild c{"c"};
  a.status->is_up = false;
  const Weighted three({a.child(1), b.child(1), c.child(1)}, state, nullptr);

  EXPECT_EQ(shares(three, 60), (std::map<std::string, int>{{"b", 30}, {"c", 30}}));
}

TEST_F(WeightedTest, WhenAllAreDownAChildSaysWhyAndMayHold) {
  a.status->is_up = b.status->is_up = false;

  EXPECT_EQ(shares(weighted(), 10), (std::map<std::string, int>{{"a", 5}, {"b", 5}}));
  EXPECT_TRUE(a.could_hold);
}

TEST_F(WeightedTest, AFailureThatNobodyActedUponGoesToTheNextChild) {
  a.refuses = true;

  EXPECT_EQ(shares(weighted(), 10), (std::map<std::string, int>{{"b", 10}}));
  EXPECT_FALSE(a.could_hold);

  b.refuses = true;
  auto x = test::get("/");
  EXPECT_EQ(ask(weighted(), x).head.status, 502);
  EXPECT_EQ(x.record.retries, 1);
}

TEST_F(WeightedTest, WhatLeadsToOneServerAThousandWaysIsNotTriedForEver) {
  a.refuses = true;
  std::shared_ptr<const exchange::Service> all = a.service;
  for (int level = 0; level < 15; ++level)
    all = std::make_shared<Weighted>(std::vector<Child>{{"one", 1, all, a.status}, {"two", 1, all, a.status}},
                                     state, nullptr);
  auto x = test::get("/");

  EXPECT_EQ(ask(*all, x).head.status, 502);
  EXPECT_LT(a.service->calls, 1100);
}

TEST_F(WeightedTest, ACookieKeepsAClientWithItsChild) {
  const auto sticky = std::make_shared<upstream::Sticky>("all@file", http::SetCookie{.name = "pin"},
                                                         std::vector<std::string>{"a", "b"});
  const Weighted all = weighted(1, 1, sticky);
  auto first = test::get("/");
  const Response set = ask(all, first);
  EXPECT_TRUE(set.head.fields.get("Set-Cookie").starts_with("pin="));

  for (int i = 0; i < 10; ++i) {
    auto x = test::get("/");
    x.header("Cookie", "pin=" + upstream::Sticky::value_of("b"));
    const Response response = ask(all, x);
    EXPECT_EQ(test::text_of(response.body), "b");
    EXPECT_FALSE(response.head.fields.has("Set-Cookie"));
  }
  b.status->is_up = false;
  auto moved = test::get("/");
  moved.header("Cookie", "pin=" + upstream::Sticky::value_of("b"));
  const Response response = ask(all, moved);
  EXPECT_EQ(test::text_of(response.body), "a");
  EXPECT_TRUE(response.head.fields.get("Set-Cookie").starts_with("pin=" + upstream::Sticky::value_of("a")));
}

TEST_F(WeightedTest, IsUpWhileAChildIs) {
  auto x = test::get("/");
  a.status->is_up = false;
  EXPECT_TRUE(weighted().up(x.pools));
  EXPECT_FALSE(weighted(1, 0).up(x.pools));
}

TEST(HighestRandomWeight, OnlyTheClientsOfAChildThatLeavesMove) {
  std::vector<std::unique_ptr<FakeChild>> fakes;
  std::vector<Child> children;
  for (int i = 0; i < 10; ++i) {
    fakes.push_back(std::make_unique<FakeChild>("service-" + std::to_string(i)));
    children.push_back(fakes.back()->child());
  }
  const HighestRandomWeight all(children);
  const auto of_client = [&](int client) {
    auto x = test::get("/");
    x.from("10.0." + std::to_string(client / 250) + "." + std::to_string(client % 250));
    return test::text_of(ask(all, x).body);
  };
  std::vector<std::string> before;
  for (int client = 0; client < 500; ++client) before.push_back(of_client(client));
  fakes[3]->status->is_up = false;

  for (int client = 0; client < 500; ++client) {
    const std::string now = of_client(client);
    if (before[static_cast<std::size_t>(client)] == "service-3")
      EXPECT_NE(now, "service-3");
    else
      EXPECT_EQ(now, before[static_cast<std::size_t>(client)]);
  }
}

TEST_F(FailoverTest, TakesTheFallbackWhileTheMainServiceIsDown) {
  const Failover failover(a.child(), b.child(), std::nullopt);
  EXPECT_EQ(who(failover), "a");
  EXPECT_FALSE(a.could_hold);

  a.status->is_up = false;
  EXPECT_EQ(who(failover), "b");
  b.status->is_up = false;
  EXPECT_EQ(who(failover), "a");  // says why, or holds
  EXPECT_TRUE(a.could_hold);
}

TEST_F(FailoverTest, TakesTheFallbackWhenNoServerCouldTakeTheRequest) {
  a.refuses = true;

  EXPECT_EQ(who(Failover(a.child(), b.child(), std::nullopt)), "b");
}

TEST_F(FailoverTest, SendsTheBodyAgainAfterAStatus) {
  a.answers_with = 503;
  const FailoverErrors errors{[](int status) { return status >= 500; }, 10};
  auto x = test::request("POST", "/");
  x.with_body("0123456789");
  const Response response = ask(Failover(a.child(), b.child(), errors), x);

  EXPECT_EQ(response.head.status, 200);
  EXPECT_EQ(a.got_body, "0123456789");
  EXPECT_EQ(b.got_body, "0123456789");
}

TEST_F(FailoverTest, WhatTheMainServiceActedUponGoesNowhereElse) {
  a.answers_with = 500;
  b.refuses = true;
  const Failover by_status(a.child(), b.child(),
                           FailoverErrors{[](int status) { return status == 500; }, 100});
  auto x = test::request("POST", "/");

  const Response answered = ask(by_status, x);
  EXPECT_EQ(answered.head.status, 502);
  EXPECT_FALSE(answered.retryable());

  a.refuses = true;
  auto other = test::request("POST", "/");
  EXPECT_TRUE(ask(by_status, other).retryable()) << "nobody acted upon it";
}

TEST_F(FailoverTest, RefusesABodyThatCannotBeKept) {
  const FailoverErrors errors{[](int status) { return status >= 500; }, 9};
  auto x = test::request("POST", "/");
  x.with_body("0123456789");

  EXPECT_EQ(ask(Failover(a.child(), b.child(), errors), x).head.status, 413);
  EXPECT_EQ(a.service->calls, 0);
}

TEST(TakesTurn, SpreadsTheShareEvenly) {
  for (const int percent : {0, 1, 10, 33, 50, 100}) {
    int taken = 0;
    // The rule of the reference: as long as taken * 100 < number * percent.
    for (std::uint64_t number = 1; number <= 1000; ++number) {
      EXPECT_EQ(takes_turn(number, percent), taken * 100 < static_cast<int>(number) * percent) << percent;
      if (takes_turn(number, percent)) ++taken;
    }
    EXPECT_EQ(taken, percent * 10);
  }
}

class Mirrored : public MirroringTest {
 protected:
  Mirroring mirroring(MirroringOptions options = {}) {
    return {options, a.child(), {{b.service, 100}}, mirror_state};
  }
  // Until the background has nothing to do.
  static void turn(test::TestExchange& x) {
    for (int i = 0; i < 6000 && !x.background.empty(); ++i) x.loop.run_once(std::chrono::milliseconds(10));
    EXPECT_TRUE(x.background.empty());
  }
  std::shared_ptr<MirrorState> mirror_state = std::make_shared<MirrorState>();
};

TEST_F(Mirrored, TheCopyLeavesWhenTheMainResponseWasReadToItsEnd) {
  const Mirroring all = mirroring();
  auto x = test::request("POST", "/cart");
  x.with_body("body");
  Response response = ask(all, x);
  EXPECT_TRUE(x.background.empty());
  EXPECT_EQ(test::text_of(response.body), "a");
  EXPECT_EQ(b.service->calls, 0);
  x.body.reset();  // the exchange ends
  turn(x);

  EXPECT_EQ(b.service->calls, 1);
  EXPECT_EQ(b.got_body, "body");
  EXPECT_EQ(a.got_body, "body");
  EXPECT_EQ(mirror_state->running, 0u);
}

TEST_F(Mirrored, WhatACopyCameToIsTold) {
  struct Sink final : exchange::RecordSink {
    void ended(const Exchange&) override {}
    void copied(const Exchange& x) override {
      status = x.record.service_status;
      method = x.record.method;
      metrics = x.record.metrics;
    }
    int status = 0;
    std::string method;
    bool metrics = true;
  } sink;
  const Mirroring all = mirroring();
  auto x = test::request("POST", "/cart");
  x.sink = &sink;
  x.record.metrics = false;
  EXPECT_EQ(test::text_of(ask(all, x).body), "a");
  turn(x);

  EXPECT_EQ(sink.status, 504) << "no server behind this one";
  EXPECT_EQ(sink.method, "POST");
  EXPECT_FALSE(sink.metrics) << "its router wants none";
}

TEST_F(Mirrored, NothingIsMirroredWhenTheClientLeaves) {
  const Mirroring all = mirroring();
  auto x = test::get("/");
  {
    const Response response = ask(all, x);
    x.client_left = true;
  }
  turn(x);

  EXPECT_EQ(b.service->calls, 0);
  EXPECT_EQ(mirror_state->running, 0u);
}

TEST_F(Mirrored, AMainResponseThatIsDroppedForAnotherIsMirrored) {
  const Mirroring all = mirroring();
  auto x = test::request("POST", "/");
  x.with_body("body");
  {
    const Response replaced = ask(all, x);
  }
  x.body.reset();
  turn(x);

  EXPECT_EQ(b.service->calls, 1);
  EXPECT_EQ(b.got_body, "body");
  EXPECT_EQ(mirror_state->running, 0u);
}

TEST_F(Mirrored, ALargeBodyIsNotMirrored) {
  const Mirroring all = mirroring({.max_body_bytes = 3});
  auto x = test::request("POST", "/");
  x.with_body("body");
  EXPECT_EQ(test::text_of(ask(all, x).body), "a");
  turn(x);
  EXPECT_EQ(b.service->calls, 0);

  auto chunked = test::request("POST", "/");
  chunked.with_body("body");
  chunked.request.content_length.reset();
  chunked.request.chunked = true;
  EXPECT_EQ(test::text_of(ask(all, chunked).body), "a");
  turn(chunked);
  EXPECT_EQ(a.got_body, "body");
  EXPECT_EQ(b.service->calls, 0);
}

TEST_F(Mirrored, TheCopyHasNoBodyWhenThatIsOff) {
  const Mirroring all = mirroring({.mirror_body = false});
  auto x = test::request("POST", "/");
  x.with_body("body");
  EXPECT_EQ(test::text_of(ask(all, x).body), "a");
  turn(x);

  EXPECT_EQ(b.service->calls, 1);
  EXPECT_EQ(b.got_body, "");
}

}  // namespace
}  // namespace fairlead::service
