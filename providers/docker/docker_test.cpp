#include "providers/docker/docker.h"

#include "providers/docker/test_containers.h"
#include "tests/support/fake_engine.h"
#include "tests/support/recording_sink.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <iostream>

namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;
using fairlead::test::FakeContainer;
using fairlead::test::FakeEngine;
using fairlead::test::RecordingSink;
using model::ServerState;
using std::chrono::steady_clock;

// A provider on a fake engine; stops by itself.
class Running {
 public:
  Running(const FakeEngine& engine, RecordingSink& sink, bool watch = true) {
    model::DockerProvider options;
    options.endpoint = engine.endpoint();
    options.watch = watch;
    provider_ = *Docker::make(options, {test::kHttpTypes, test::kTcpTypes}, {}, 100ms,
                              [](const char*) { return std::nullopt; });
    provider_->start(sink);
  }
  ~Running() { provider_->stop(); }
  Docker* operator->() { return provider_.get(); }

 private:
  std::unique_ptr<Docker> provider_;
};

auto has_router(const std::string& name) {
  return [name](const model::Dynamic& d) { return d.http.routers.contains(name); };
}

TEST(Docker, SubscribesThenLists) {
  FakeEngine engine;
  engine.put({.id = "a1", .name = "web"});
  RecordingSink sink;
  Running provider(engine, sink);

  ASSERT_TRUE(sink.wait_for(has_router("web")));

  const auto paths = engine.paths();
  ASSERT_GE(paths.size(), 4u);
  EXPECT_EQ(paths[0], "/_ping");
  EXPECT_TRUE(paths[1].starts_with("/v1.41/events?filters="));
  EXPECT_EQ(paths[2], "/v1.41/containers/json?all=1");
  EXPECT_EQ(paths[3], "/v1.41/containers/a1/json");
  EXPECT_TRUE(provider->status().connected);
}

TEST(Docker, TellsAStopAtOnceAndPublishesItSoon) {
  FakeEngine engine;
  for (int i = 0; i < 10; ++i)
    engine.put({.id = fmt::format("a{}", i),
                .name = fmt::format("web{}", i),
                .ip = fmt::format("127.0.0.{}", i + 1)});
  RecordingSink sink;
  Running provider(engine, sink);
  ASSERT_TRUE(sink.wait_for([](const model::Dynamic& d) { return d.http.routers.size() == 10; }));

  // The shortest of a few: a busy machine may delay any one of them.
  Duration shortest = 1h;
  for (int i = 0; i < 10 && shortest > 50ms; ++i) {
    const auto begun = steady_clock::now();
    engine.event("kill", fmt::format("a{}", i), R"("signal":"15")");
    ASSERT_TRUE(sink.wait_for_state(fmt::format("http://127.0.0.{}:80", i + 1), ServerState::Draining));
    shortest = std::min<Duration>(shortest, steady_clock::now() - begun);
  }
  EXPECT_LT(shortest, 50ms) << "no throttle";
  EXPECT_TRUE(sink.wait_for(
      [](const model::Dynamic& d) { return d.http.standings.at("web0")[0].state == ServerState::Draining; }));
}

TEST(Docker, OneChangeAmongAThousandTakesAHandfulOfCalls) {
  FakeEngine engine;
  for (int i = 0; i < 1000; ++i)
    engine.put({.id = "id" + std::to_string(i),
                .name = "web" + std::to_string(i),
                .ip = "127.0.1." + std::to_string(i % 250)});
  RecordingSink sink;
  Running provider(engine, sink);
  ASSERT_TRUE(sink.wait_for([](const model::Dynamic& d) { return d.http.routers.size() == 1000; }));
  const std::uint64_t before = provider->calls();

  engine.put({.id = "id7", .name = "web7", .state = "exited", .ip = ""});
  const auto begun = steady_clock::now();
  engine.event("die", "id7");
  ASSERT_TRUE(sink.wait_for([](const model::Dynamic& d) {
    return d.http.standings.at("web7")[0].reasons.size() == 1 &&
           d.http.standings.at("web7")[0].reasons[0].kind == model::ReasonKind::Stopped;
  }));
  const auto took = steady_clock::now() - begun;

  EXPECT_LE(provider->calls() - before, 2u);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  std::cout << "one change among a thousand: " << ms << " ms, where 250 are promised\n";
  EXPECT_LT(took, 2s) << ms << " ms";
}

TEST(Docker, AStormOfEventsInspectsEachContainerOnce) {
  FakeEngine engine;
  RecordingSink sink;
  Running provider(engine, sink);
  ASSERT_TRUE(sink.wait_for([](const model::Dynamic&) { return true; }));

  for (int i = 0; i < 100; ++i) {
    const std::string id = "id" + std::to_string(i);
    engine.put({.id = id, .name = "web" + std::to_string(i)});
    engine.event("start", id);
  }

  EXPECT_TRUE(sink.wait_for([](const model::Dynamic& d) { return d.http.routers.size() == 100; }));
  EXPECT_LE(engine.count("/containers/id"), 110u);
}

TEST(Docker, KeepsItsRoutesWhileTheEngineIsAwayAndCatchesUp) {
  FakeEngine engine;
  engine.put({.id = "a1", .name = "web"});
  RecordingSink sink;
  Running provider(engine, sink);
  ASSERT_TRUE(sink.wait_for(has_router("web")));

  engine.shut_down();
  for (int i = 0; i < 6000 && provider->status().connected; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(provider->status().connected);
  EXPECT_TRUE(sink.last()->http.routers.contains("web"));
  engine.erase("a1");
  engine.put({.id = "b2", .name = "other"});
  engine.listen();

  EXPECT_TRUE(sink.wait_for(has_router("other")));
  EXPECT_TRUE(sink.wait_for([](const model::Dynamic& d) {
    return d.http.standings.at("web")[0].reasons[0].kind == model::ReasonKind::Removed;
  })) << "remembered";
}

TEST(Docker, SurvivesGarbageInTheStreamAndInAnswers) {
  FakeEngine engine;
  engine.put({.id = "a1", .name = "web"});
  RecordingSink sink;
  Running provider(engine, sink);
  ASSERT_TRUE(sink.wait_for(has_router("web")));

  engine.say("garbage\n\n{}\n[]\n{\"Type\":\"container\"}\n");
  engine.set_override([](std::string_view path) {
    return path.find("b2") != std::string_view::npos ? std::pair(200, std::string("["))
                                                     : std::pair(0, std::string());
  });
  engine.event("start", "b2");
  engine.put({.id = "c3", .name = "third"});
  engine.event("start", "c3");

  EXPECT_TRUE(sink.wait_for(has_router("third")));
  EXPECT_TRUE(provider->status().connected);
}

TEST(Docker, WaitsForAnEngineThatIsTooNewAndSaysSo) {
  FakeEngine engine;
  engine.set_override([](std::string_view path) {
    return path == "/_ping" ? std::pair(0, std::string())
                            : std::pair(400, std::string(R"({"message":"client version 1.41 is too old"})"));
  });
  RecordingSink sink;
  Running provider(engine, sink);

  for (int i = 0; i < 6000 && provider->status().detail.find("too old") == std::string::npos; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_NE(provider->status().detail.find("client version 1.41 is too old"), std::string::npos);
  EXPECT_EQ(sink.count(), 0);
  engine.put({.id = "a1", .name = "web"});
  engine.set_override(nullptr);

  EXPECT_TRUE(sink.wait_for(has_router("web")));
}

TEST(Docker, ListsAnEngineThatRefusesItsEvents) {
  FakeEngine engine;
  engine.put({.id = "a1", .name = "web"});
  engine.set_override([](std::string_view path) {
    return path.find("/events") != std::string_view::npos ? std::pair(403, std::string("forbidden"))
                                                          : std::pair(0, std::string());
  });
  RecordingSink sink;
  Running provider(engine, sink);

  EXPECT_TRUE(sink.wait_for(has_router("web")));
  const auto says_so = [&] {
    return provider->status().detail.find("/events: status 403: forbidden") != std::string::npos;
  };
  for (int i = 0; i < 6000 && !says_so(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(says_so());
  engine.put({.id = "b2", .name = "late"});
  EXPECT_TRUE(sink.wait_for(has_router("late"))) << "each attempt lists";
}

TEST(Docker, ListsAnEngineThatIsSilentAboutItsEvents) {
  FakeEngine engine;
  engine.put({.id = "a1", .name = "web"});
  std::atomic<bool> done = false;
  engine.set_override([&](std::string_view path) {
    while (path.find("/events") != std::string_view::npos && !done) std::this_thread::sleep_for(10ms);
    return std::pair(0, std::string());
  });
  RecordingSink sink;
  Running provider(engine, sink);

  EXPECT_TRUE(sink.wait_for(has_router("web")));
  engine.put({.id = "b2", .name = "late"});
  done = true;
  EXPECT_TRUE(sink.wait_for(has_router("late"))) << "listed again when the stream begins";
}

TEST(Docker, TriesAgainSoonWhatCouldNotBeInspected) {
  FakeEngine engine;
  std::atomic<int> failures = 1;
  engine.set_override([&](std::string_view path) {
    return path.ends_with("/a1/json") && failures-- > 0 ? std::pair(500, std::string("busy"))
                                                        : std::pair(0, std::string());
  });
  engine.put({.id = "a1", .name = "web"});
  RecordingSink sink;
  Running provider(engine, sink);
  EXPECT_TRUE(sink.wait_for(has_router("web")));

  failures = 1;
  engine.put({.id = "a1", .name = "other"});
  engine.event("rename", "a1");
  EXPECT_TRUE(sink.wait_for(has_router("other")));
}

TEST(Docker, BelievesTheEngineRatherThanLateEvents) {
  FakeEngine engine;
  engine.put({.id = "a1", .name = "web"});
  const auto is = [](ServerState state) {
    return [state](const model::Dynamic& d) {
      const auto found = d.http.standings.find("web");
      return found != d.http.standings.end() && found->second[0].state == state;
    };
  };
  RecordingSink sink;
  Running provider(engine, sink);
  ASSERT_TRUE(sink.wait_for(is(ServerState::Ready)));

  for (const char* word : {"die", "destroy"}) {
    engine.event(word, "a1");
    ASSERT_TRUE(sink.wait_for_state("http://127.0.0.1:80", ServerState::Gone)) << word;
    EXPECT_TRUE(sink.wait_for([&](const model::Dynamic& d) { return !is(ServerState::Gone)(d); })) << word;
  }
}

TEST(Watcher, TriesAStreamThatEndsAtOnceEverMoreSeldom) {
  FakeEngine engine;
  engine.set_override([](std::string_view path) {
    return path.find("/events") != std::string_view::npos ? std::pair(200, std::string())
                                                          : std::pair(0, std::string());
  });
  Channel<Report> reports;
  Watcher watcher("", *resolve_endpoint(engine.endpoint(), {}, "", "", nullptr), {}, true, reports,
                  {.back_off = 0.1});
  watcher.start();

  const auto begun = steady_clock::now();
  std::this_thread::sleep_for(1s);
  watcher.stop();
  const auto late = std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - begun).count() - 1;
  EXPECT_GE(engine.count("/containers/json"), 1u) << "whatever is wrong with its events";

  EXPECT_LE(engine.count("/events"), 9u + 3u * static_cast<unsigned>(late))
      << "at least 25, 38, 56, … ms apart";
}

TEST(Docker, WithoutWatchingListsOnce) {
  FakeEngine engine;
  engine.put({.id = "a1", .name = "web"});
  RecordingSink sink;
  Running provider(engine, sink, false);
  ASSERT_TRUE(sink.wait_for(has_router("web")));
  EXPECT_EQ(engine.count("/events"), 0u);

  engine.put({.id = "b2", .name = "late"});
  provider->refresh();

  EXPECT_TRUE(sink.wait_for(has_router("late")));
}

TEST(Docker, StopsPromptlyWhateverTheEngineDoes) {
  std::atomic<bool> done = false;  // before the engine, whose threads look at it until they end
  FakeEngine engine;
  engine.set_override([&](std::string_view path) {
    for (int i = 0; i < 3000 && path.find("json?all") != std::string_view::npos && !done; ++i)
      std::this_thread::sleep_for(10ms);
    return std::pair(0, std::string());
  });
  RecordingSink sink;
  auto provider = std::make_unique<Running>(engine, sink);
  while (engine.count("json?all") == 0) std::this_thread::yield();

  const auto begun = steady_clock::now();
  provider.reset();

  EXPECT_LT(steady_clock::now() - begun, 20s) << "the engine thinks for half a minute";
  done = true;
}

// One provider of two engines, the second under the name "edge".
auto of_two(const FakeEngine& near, const FakeEngine& far) {
  model::DockerProvider options;
  options.endpoint = near.endpoint();
  options.hosts["edge"].endpoint = far.endpoint();
  return *Docker::make(options, {test::kHttpTypes, test::kTcpTypes}, {}, 100ms,
                       [](const char*) { return std::nullopt; });
}

TEST(Docker, TwoEnginesShareOneConfiguration) {
  FakeEngine near, far;
  near.put({.id = "a1", .name = "web"});
  far.put({.id = "b2", .name = "edge-web"});
  auto provider = of_two(near, far);
  RecordingSink sink;
  provider->start(sink);

  EXPECT_TRUE(sink.wait_for([](const model::Dynamic& d) {
    return d.http.routers.contains("web") && d.http.routers.contains("edge-web");
  }));
  provider->stop();
}

TEST(Docker, AnEngineThatHangsKeepsTheOthersWaitingForAMomentOnly) {
  std::atomic<bool> done = false;
  FakeEngine near, far;
  near.put({.id = "a1", .name = "web"});
  far.put({.id = "b2", .name = "edge-web"});
  far.set_override([&](std::string_view path) {
    while (path == "/_ping" && !done) std::this_thread::sleep_for(10ms);
    return std::pair(0, std::string());
  });
  auto provider = of_two(near, far);
  RecordingSink sink;
  const auto cpu_before = std::clock();
  provider->start(sink);

  EXPECT_TRUE(sink.wait_for(has_router("web")));
  EXPECT_LT(std::clock() - cpu_before, CLOCKS_PER_SEC) << "nobody spins meanwhile";
  done = true;
  EXPECT_TRUE(sink.wait_for(has_router("edge-web")));
  provider->stop();
}

TEST(Docker, RefusesOptionsThatCannotBeUsed) {
  const auto make = [](model::DockerProvider options) {
    return Docker::make(options, {}, {}, 100ms, [](const char*) { return std::nullopt; });
  };
  model::DockerProvider rule, endpoint;
  rule.default_rule = "{{ range }}";
  endpoint.endpoint = "docker.sock";

  EXPECT_EQ(make(rule).error().path, "providers.docker.defaultRule");
  EXPECT_EQ(make(endpoint).error().path, "providers.docker.endpoint");
  endpoint.endpoint = "unix://";
  EXPECT_EQ(make(endpoint).error().what, "\"unix://\" names no socket; write unix:///var/run/docker.sock");
}

}  // namespace
}  // namespace fairlead::providers::docker
