#include "providers/docker/slow_lane.h"

#include "tests/support/fake_engine.h"

#include <gtest/gtest.h>

#include <atomic>

namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;
using test::FakeEngine;

Endpoint endpoint_of(const FakeEngine& engine) {
  return *resolve_endpoint(engine.endpoint(), std::nullopt, "", "", [](const char*) { return std::nullopt; });
}

// Whether `condition` comes true, within a minute.
bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(10ms);
  return condition();
}

// What a lane answered, by id.
class Answers {
 public:
  SlowLane::Answered collector() {
    return [this](SlowLane::Answer answer) {
      const std::lock_guard lock(mutex_);
      answers_[answer.id].push_back(std::move(answer));
    };
  }
  std::vector<SlowLane::Answer> of(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return answers_[id];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<SlowLane::Answer>> answers_;
};

TEST(SlowLane, ReadsOthersWhileSomeHang) {
  std::atomic<bool> released = false;
  FakeEngine engine;
  engine.set_override([&](std::string_view path) {
    while (path.find("/stuck") != std::string_view::npos && !released) std::this_thread::sleep_for(10ms);
    return std::pair(0, std::string());
  });
  Answers answers;
  SlowLane lane(endpoint_of(engine), 0ms, 10ms, 1s, answers.collector());
  for (const char* id : {"stuck1", "stuck2", "web"}) {
    engine.put({.id = id, .name = id});
    lane.take(id, "1.41", true);
  }

  EXPECT_TRUE(comes_true([&] { return !answers.of("web").empty(); }));
  EXPECT_TRUE(answers.of("web")[0].first);
  EXPECT_TRUE(lane.holds("stuck1"));
  lane.take("stuck1", "1.41", false);
  released = true;
  EXPECT_TRUE(comes_true([&] { return answers.of("stuck1").size() == 2; }))
      << "asked again, as it may be old";
  EXPECT_FALSE(answers.of("stuck1")[1].first);
  EXPECT_TRUE(comes_true([&] { return !lane.holds("stuck1"); })) << "it was quick at last";
  EXPECT_EQ(engine.count("/web/json"), 1u);
}

TEST(SlowLane, TriesUntilTheEngineSaysSomethingOfTheContainer) {
  std::atomic<int> failures = 3;
  FakeEngine engine;
  engine.set_override([&](std::string_view) {
    return failures-- > 0 ? std::pair(500, std::string("busy")) : std::pair(0, std::string());
  });
  Answers answers;
  SlowLane lane(endpoint_of(engine), 0ms, 10ms, 20ms, answers.collector());
  lane.take("gone", "1.41", false);

  EXPECT_TRUE(comes_true([&] { return !answers.of("gone").empty(); }));
  EXPECT_FALSE(answers.of("gone")[0].container);
  EXPECT_EQ(engine.count("/gone/json"), 4u);
}

TEST(SlowLane, KeepsWhatWasSlowAndForgetsItOnDemand) {
  FakeEngine engine;
  engine.put({.id = "web", .name = "web"});
  engine.set_override([](std::string_view) {
    std::this_thread::sleep_for(SlowLane::kQuick + 100ms);
    return std::pair(0, std::string());
  });
  Answers answers;
  SlowLane lane(endpoint_of(engine), 0ms, 10ms, 1s, answers.collector());
  lane.take("web", "1.41", false);

  EXPECT_TRUE(comes_true([&] { return !answers.of("web").empty(); }));
  EXPECT_TRUE(lane.holds("web"));
  lane.forget();
  EXPECT_FALSE(lane.holds("web"));
}

TEST(SlowLane, StopsPromptlyWhateverItAsks) {
  std::atomic<bool> done = false;
  FakeEngine engine;
  engine.set_override([&](std::string_view) {
    for (int i = 0; i < 3000 && !done; ++i) std::this_thread::sleep_for(10ms);
    return std::pair(0, std::string());
  });
  Answers answers;
  SlowLane lane(endpoint_of(engine), 0ms, 10ms, 1s, answers.collector());
  for (int i = 0; i < 10; ++i) lane.take("id" + std::to_string(i), "1.41", false);
  EXPECT_TRUE(comes_true([&] { return engine.count("/containers/") == 4; }));

  const auto begun = std::chrono::steady_clock::now();
  lane.stop();

  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s) << "the engine thinks for half a minute";
  done = true;
}

}  // namespace
}  // namespace fairlead::providers::docker
