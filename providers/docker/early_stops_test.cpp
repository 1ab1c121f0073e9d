#include "providers/docker/early_stops.h"

#include "providers/docker/test_containers.h"

#include <gtest/gtest.h>

namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;
using model::ServerState;
using test::at;
using test::container;
using test::standing;

TEST(EarlyStops, CountWhenTheContainerIsInspectedForTheFirstTime) {
  Catalog catalog = test::catalog();

  EXPECT_FALSE(catalog.stopping("", "id-2", "15", at(0s)).changed);
  catalog.seen(container("a", 2), true, at(1s));

  EXPECT_EQ(standing(catalog).state, ServerState::Draining);
  EXPECT_EQ(catalog.next_tick(), at(70s).steady) << "as long as if it had been known";
}

TEST(EarlyStops, AreOnlyThoseSignalsThatStopTheContainer) {
  Catalog catalog = test::catalog();
  for (const char* signal : {"1", "10", "SIGWINCH"}) catalog.stopping("", "id-2", signal, at(0s));
  catalog.stopping("", "id-3", "SIGUSR1", at(0s));
  catalog.stopping("", "id-3", "SIGHUP", at(0s));
  Container other = container("b", 3);
  other.stop_signal = "SIGUSR1";

  catalog.seen(container("a", 2), true, at(1s));
  catalog.seen(other, true, at(1s));

  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
  EXPECT_EQ(catalog.compose().http.standings.at("b")[0].state, ServerState::Draining);
}

TEST(EarlyStops, OfAnEarlierRunDoNotCount) {
  Catalog catalog = test::catalog();
  Container again = container("a", 2);
  again.started = again.created + 1min;
  catalog.stopping("", "id-2", "15", at(0s), again.started - 1s);
  catalog.seen(again, true, at(1s));
  EXPECT_EQ(standing(catalog).state, ServerState::Ready) << "by the engine's clock";

  for (const bool ends : {true, false}) {
    Catalog fresh = test::catalog();
    fresh.stopping("", "id-2", "15", at(0s));
    if (ends)
      fresh.ended("", "id-2", 0, at(1s), {});
    else
      fresh.started("", "id-2", at(1s), {});
    fresh.seen(container("a", 2), true, at(2s));
    EXPECT_EQ(standing(fresh).state, ServerState::Ready) << ends;
  }
}

TEST(EarlyStops, AreForgottenRatherThanKeptWithoutNumber) {
  EarlyStops stops;
  for (int i = 0; i < 1000; ++i) stops.add("", "id-2", {std::to_string(i % 100), at(0s), {}});
  EXPECT_LE(stops.take("", "id-2").size(), 16u);
  EXPECT_TRUE(stops.take("", "id-2").empty());

  for (int i = 0; i < 1500; ++i) stops.add("", std::to_string(i), {"15", at(0s), {}});
  EXPECT_TRUE(stops.take("", "0").empty());
  EXPECT_EQ(stops.take("", "1499").size(), 1u);
}

}  // namespace
}  // namespace fairlead::providers::docker
