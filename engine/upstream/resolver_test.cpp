#include "engine/upstream/resolver.h"

#include "engine/event/offload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace fairlead::upstream {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

using Addresses = Result<std::vector<net::Ip>>;

std::atomic<int> asked;
std::atomic<bool> held;  // looking up does not end

Addresses answer(const std::string& host) {
  ++asked;
  held.wait(true);
  if (host == "bad") return fail(502, Fault::Upstream, "no such name", true);
  return std::vector<net::Ip>{*net::Ip::parse("192.0.2.1")};
}

void let_go() {
  held = false;
  held.notify_all();
}

struct Caller final : Completion {
  Task<Addresses> task;
  bool done = false;
  void task_done() override { done = true; }
};

struct ResolverTest : testing::Test {
  event::Loop loop;
  Resolver resolver{answer};
  std::vector<std::unique_ptr<Caller>> callers;

  ResolverTest() { asked = 0; }
  Caller& call(const std::string& host) {
    Caller& caller = *callers.emplace_back(std::make_unique<Caller>());
    caller.task = resolver.resolve(loop, host);
    caller.task.start(&caller);
    return caller;
  }
  void run_until_all_done() {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    const auto waits = [this] {
      return std::ranges::any_of(callers, [](const auto& one) { return !one->done; });
    };
    while (waits() && std::chrono::steady_clock::now() < deadline) loop.run_once(10ms);
    ASSERT_FALSE(waits());
  }
};

TEST_F(ResolverTest, AllWhoWantANameWaitForOneAnswer) {
  held = true;
  for (int i = 0; i < 100; ++i) call("app");
  let_go();

  run_until_all_done();

  EXPECT_EQ(asked, 1);
  for (const auto& caller : callers)
    EXPECT_THAT(*caller->task.take(), ElementsAre(*net::Ip::parse("192.0.2.1")));
}

TEST_F(ResolverTest, AnAnswerCountsForAWhile) {
  call("app");
  run_until_all_done();

  call("app");
  run_until_all_done();

  EXPECT_EQ(asked, 1);
}

TEST_F(ResolverTest, AFailureIsToldToAllAndAskedForAgain) {
  held = true;
  for (int i = 0; i < 10; ++i) call("bad");
  let_go();
  run_until_all_done();
  EXPECT_EQ(asked, 1);
  for (const auto& caller : callers) EXPECT_EQ(caller->task.take().error().detail, "no such name");

  call("bad");
  run_until_all_done();

  EXPECT_EQ(asked, 2);
}

TEST_F(ResolverTest, WhoAskedFirstMayLeave) {
  held = true;
  call("app");
  Caller& second = call("app");
  call("app");
  callers.erase(callers.begin());
  second.task.cancel();
  second.done = true;
  let_go();

  run_until_all_done();

  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(callers.back()->task.take());
}

TEST_F(ResolverTest, MayEndWhileANameIsBeingLookedUp) {
  held = true;
  call("app");
  while (asked == 0) std::this_thread::yield();

  callers.clear();
  let_go();
}

}  // namespace
}  // namespace fairlead::upstream
