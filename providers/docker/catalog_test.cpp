#include "providers/docker/catalog.h"

#include "providers/docker/test_containers.h"

#include <gtest/gtest.h>

namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;
using model::ReasonKind;
using model::ServerState;
using test::at;
using test::container;
using test::replica;
using test::standing;

ReasonKind why(Catalog& catalog) {
  const model::Standing s = standing(catalog);
  return s.reasons.empty() ? ReasonKind::OutOfScope : s.reasons[0].kind;
}

TEST(Catalog, WhatRunsAtTheFirstListIsReadyAtOnce) {
  Catalog catalog = test::catalog();

  catalog.seen(container("a", 2), true, at(0s));

  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
  EXPECT_EQ(standing(catalog).url, "http://172.17.0.2:80");
  EXPECT_TRUE(catalog.probes().empty());
}

TEST(Catalog, AStartedContainerIsReadyWhenItsPortAccepts) {
  Catalog catalog = test::catalog();
  catalog.seen(container("a", 2), false, at(0s));
  EXPECT_EQ(standing(catalog).state, ServerState::Starting);
  EXPECT_EQ(standing(catalog).url, "http://172.17.0.2:80") << "so that becoming ready needs no compile";
  ASSERT_EQ(catalog.probes().size(), 1u);
  EXPECT_FALSE(catalog.probes()[0].ask_http);

  catalog.probed("", "id-2", {{80, false, false}}, at(100ms));
  EXPECT_EQ(standing(catalog).state, ServerState::Starting);
  const Effects effects = catalog.probed("", "id-2", {{80, true, false}}, at(200ms));

  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
  ASSERT_EQ(effects.servers.size(), 1u);
  EXPECT_EQ(effects.servers[0].url, "http://172.17.0.2:80");
  EXPECT_EQ(effects.servers[0].state, ServerState::Ready);
  EXPECT_TRUE(catalog.probes().empty());
}

TEST(Catalog, APortThatNeverAcceptsHoldsTheOthersBackForASecondOnly) {
  Catalog catalog = test::catalog();
  catalog.seen(container("a", 2,
                         {{"traefik.http.services.a.loadbalancer.server.port", "80"},
                          {"traefik.tcp.services.t.loadbalancer.server.port", "9000"}}),
               false, at(0s));

  catalog.probed("", "id-2", {{9000, false, false}, {80, true, false}}, at(100ms));
  EXPECT_EQ(standing(catalog).state, ServerState::Starting);
  catalog.probed("", "id-2", {{9000, false, false}, {80, true, false}}, at(1100ms));

  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
}

TEST(Catalog, APortThatNeverAcceptsIsTakenAsReadyAfterTenSeconds) {
  Catalog catalog = test::catalog();
  catalog.seen(container("a", 2), false, at(0s));

  EXPECT_EQ(catalog.next_tick(), at(10s).steady);
  catalog.tick(at(9999ms));
  EXPECT_EQ(standing(catalog).state, ServerState::Starting);
  catalog.tick(at(10s));

  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
}

TEST(Catalog, AHealthCheckDecidesInPlaceOfProbes) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.health = Health::Starting;
  catalog.seen(c, false, at(0s));
  EXPECT_EQ(why(catalog), ReasonKind::Starting);
  EXPECT_TRUE(catalog.probes().empty());

  c.health = Health::Healthy;
  catalog.seen(c, false, at(1s));
  EXPECT_EQ(standing(catalog).state, ServerState::Ready);

  c.health = Health::Unhealthy;
  c.health_output = "timeout";
  catalog.seen(c, false, at(2s));
  EXPECT_EQ(standing(catalog).state, ServerState::Draining);
  EXPECT_EQ(standing(catalog).reasons[0].text, "a is unhealthy: timeout");
  EXPECT_EQ(standing(catalog).since, at(2s).wall);
}

TEST(Catalog, AStopSignalDrainsAtOnceAndALateHealthyDoesNotReviveIt) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.health = Health::Healthy;
  catalog.seen(c, true, at(0s));

  const Effects effects = catalog.stopping("", "id-2", "15", at(1s));

  ASSERT_EQ(effects.servers.size(), 1u);
  EXPECT_EQ(effects.servers[0].state, ServerState::Draining);
  EXPECT_EQ(effects.servers[0].reasons[0].text, "a is stopping (SIGTERM)");
  c.health_output = "x";
  catalog.seen(c, false, at(2s));
  EXPECT_EQ(standing(catalog).state, ServerState::Draining);

  c.started += 10s;
  catalog.seen(c, false, at(3s));
  EXPECT_EQ(standing(catalog).state, ServerState::Ready) << "a new run";
}

TEST(Catalog, WhatIsUnpausedToBeStoppedDoesNotServe) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  catalog.seen(c, true, at(0s));
  c.running = Running::Paused;
  catalog.seen(c, false, at(1s));

  catalog.stopping("", "id-2", "15", at(2s));
  EXPECT_EQ(why(catalog), ReasonKind::Paused);
  c.running = Running::Running;
  catalog.seen(c, false, at(3s));

  EXPECT_EQ(why(catalog), ReasonKind::Stopping);
}

TEST(Catalog, EventsOfAnEarlierRunThatComeLateOrTwiceAreNotOfThisOne) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.started = c.created + 60s;
  catalog.seen(c, true, at(0s));

  catalog.stopping("", "id-2", "15", at(1s), c.started - 1ms);
  catalog.stopping("", "id-2", "", at(1s), c.started - 1ms);
  catalog.ended("", "id-2", 0, at(1s), c.started - 1ms);
  EXPECT_EQ(standing(catalog).state, ServerState::Ready);

  catalog.stopping("", "id-2", "15", at(2s), c.created - 1s);
  EXPECT_EQ(why(catalog), ReasonKind::Stopping) << "another clock proves nothing";
}

TEST(Catalog, AStartThatIsToldAfterAStopIsANewRun) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  catalog.seen(c, true, at(0s));
  catalog.stopping("", "id-2", "15", at(1s), c.started + 10s);

  catalog.started("", "id-2", at(1s), c.started + 9s);
  EXPECT_EQ(why(catalog), ReasonKind::Stopping) << "the start came late";
  catalog.started("", "id-2", at(1s), c.started + 11s);
  EXPECT_EQ(why(catalog), ReasonKind::Starting);
  catalog.probed("", "id-2", {{80, true, false}}, at(2s));
  EXPECT_EQ(standing(catalog).state, ServerState::Ready);

  catalog.stopping("", "id-2", "15", at(3s), c.started + 10s);
  EXPECT_EQ(standing(catalog).state, ServerState::Ready) << "the stop came again";
}

TEST(Catalog, WhatStillRunsLongAfterAStopSignalServesAgain) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.stop_timeout = 30s;
  catalog.seen(c, true, at(0s));

  catalog.stopping("", "id-2", "3", at(0s));
  EXPECT_EQ(why(catalog), ReasonKind::Stopping);
  EXPECT_EQ(catalog.next_tick(), at(10s).steady);
  EXPECT_TRUE(catalog.tick(at(10s)).changed);
  EXPECT_EQ(standing(catalog).state, ServerState::Ready) << "a dump of threads";

  catalog.stopping("", "id-2", "15", at(20s));
  catalog.tick(at(109s));
  EXPECT_EQ(why(catalog), ReasonKind::Stopping) << "it may take its time";
  const Effects effects = catalog.tick(at(110s));
  ASSERT_EQ(effects.servers.size(), 1u);
  EXPECT_EQ(effects.servers[0].state, ServerState::Ready);

  catalog.stopping("", "id-2", "15", at(120s));
  catalog.ended("", "id-2", 0, at(121s));
  EXPECT_FALSE(catalog.next_tick().has_value());
  catalog.tick(at(400s));
  EXPECT_EQ(why(catalog), ReasonKind::Stopped);
}

TEST(Catalog, OnlyStopSignalsAreStops) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.stop_signal = "SIGUSR2";
  catalog.seen(c, true, at(0s));

  for (const char* signal : {"1", "SIGHUP", "10", "SIGWINCH"})
    EXPECT_FALSE(catalog.stopping("", "id-2", signal, at(1s)).changed) << signal;
  EXPECT_TRUE(catalog.stopping("", "id-2", "12", at(1s)).changed) << "its own stop signal";
}

TEST(Catalog, TheRoutesOfAStoppedContainerStandWithoutAnAddress) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  catalog.seen(c, true, at(0s));

  const Effects effects = catalog.ended("", "id-2", 137, at(1s));
  EXPECT_EQ(effects.servers.at(0).state, ServerState::Gone);
  EXPECT_EQ(why(catalog), ReasonKind::Stopped);
  catalog.seen(c, false, at(1s));
  EXPECT_EQ(standing(catalog).state, ServerState::Gone) << "an answer from before the end is stale";

  c.running = Running::Exited;
  c.exit_code = 137;
  c.attachments[0].ipv4.clear();
  catalog.seen(c, false, at(1s));
  const model::Dynamic d = catalog.compose();
  EXPECT_EQ(d.http.routers.count("a"), 1u);
  EXPECT_TRUE(d.http.services.at("a").options.load_balancer->servers.empty());
  EXPECT_EQ(standing(catalog).url, "");
  EXPECT_EQ(standing(catalog).reasons[0].text, "a has stopped (exit code 137)");
}

TEST(Catalog, PausedAndCreatedContainersSayWhy) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  catalog.seen(c, true, at(0s));
  c.running = Running::Paused;
  catalog.seen(c, false, at(1s));
  EXPECT_EQ(why(catalog), ReasonKind::Paused);
  c.running = Running::Running;
  catalog.seen(c, false, at(2s));
  EXPECT_EQ(standing(catalog).state, ServerState::Ready) << "unpausing is no new start";

  Catalog other = test::catalog();
  c.running = Running::Created;
  c.attachments[0].ipv4.clear();
  other.seen(c, true, at(0s));
  EXPECT_EQ(why(other), ReasonKind::Stopped);
}

TEST(Catalog, RemembersARemovedContainerForThirtySeconds) {
  Catalog catalog = test::catalog();
  catalog.seen(container("a", 2), true, at(0s));

  EXPECT_TRUE(catalog.removed("", "id-2", at(1s)).changed);
  EXPECT_EQ(why(catalog), ReasonKind::Removed);
  EXPECT_FALSE(catalog.seen(container("a", 2), false, at(2s)).changed) << "an answer of before";
  EXPECT_EQ(catalog.next_tick(), at(31s).steady);
  EXPECT_TRUE(catalog.tick(at(31s)).changed);

  EXPECT_TRUE(catalog.compose().http.routers.empty());
}

TEST(Catalog, AYoungerAnswerDisprovesAnEventThatCameLateOrTwice) {
  Catalog catalog = test::catalog();
  const Container c = container("a", 2);
  catalog.seen(c, true, at(0s));

  catalog.ended("", "id-2", 1, at(2s));
  catalog.seen(c, false, at(3s), at(1s).steady);
  EXPECT_EQ(why(catalog), ReasonKind::Stopped) << "asked before it ended";
  catalog.seen(c, false, at(4s), at(3s).steady);
  catalog.probed("", "id-2", {{80, true, true}}, at(4s));
  EXPECT_EQ(standing(catalog).state, ServerState::Ready);

  catalog.removed("", "id-2", at(5s));
  EXPECT_EQ(why(catalog), ReasonKind::Removed);
  catalog.seen(c, false, at(6s), at(6s).steady);
  catalog.probed("", "id-2", {{80, true, true}}, at(6s));
  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
  EXPECT_FALSE(catalog.tick(at(40s)).changed) << "nothing is left to forget";
}

TEST(Catalog, ForgetsARemovedReplicaWhenAnotherLives) {
  Catalog catalog = test::catalog();
  catalog.seen(replica("shop", "web", 2), true, at(0s));
  catalog.seen(replica("shop", "web", 3), true, at(0s));

  catalog.removed("", "id-2", at(1s));

  EXPECT_EQ(catalog.compose().http.standings.at("web-shop").size(), 1u);
}

TEST(Catalog, ForgetStoppedRestoresTraefiksView) {
  Settings s = test::settings();
  s.forget_stopped = true;
  Catalog catalog = test::catalog(s);
  Container stopped = container("a", 2),
            kept = container("b", 3, {{"traefik.docker.allownonrunning", "true"}});
  Container unhealthy = container("c", 4);
  stopped.running = kept.running = Running::Exited;
  unhealthy.health = Health::Unhealthy;
  for (const Container& c : {stopped, kept, unhealthy}) catalog.seen(c, true, at(0s));

  const model::Dynamic d = catalog.compose();

  EXPECT_EQ(d.http.routers.size(), 1u);
  EXPECT_EQ(d.http.routers.count("b"), 1u);
}

TEST(Catalog, KnowsItsOwnNetworks) {
  Place place;
  place.own_id = "id-9";
  Catalog catalog(test::settings(), {{"", place}});
  Container own = container("fairlead", 9, {{"traefik.enable", "false"}});
  own.attachments = {{"proxy", "p", "172.20.0.9", "", ""}};
  catalog.seen(container("a", 2), true, at(0s));
  EXPECT_EQ(standing(catalog).state, ServerState::Ready) << "its own container is not known yet";

  catalog.seen(own, true, at(0s));
  EXPECT_EQ(why(catalog), ReasonKind::NoNetwork);
  EXPECT_EQ(standing(catalog).state, ServerState::Gone);

  own.attachments.push_back({"bridge", "n", "172.17.0.9", "", ""});
  EXPECT_TRUE(catalog.seen(own, false, at(1s)).changed) << "docker network connect";
  EXPECT_EQ(standing(catalog).state, ServerState::Ready);

  own.attachments.pop_back();
  const Effects effects = catalog.seen(own, false, at(2s));
  ASSERT_EQ(effects.servers.size(), 1u) << "docker network disconnect";
  EXPECT_EQ(effects.servers[0].url, "http://172.17.0.2:80");
  EXPECT_EQ(effects.servers[0].state, ServerState::Gone);
}

TEST(Catalog, FollowsTheContainerWhoseNetworkAnotherUses) {
  Catalog catalog = test::catalog();
  Container vpn = container("vpn", 3, {{"traefik.enable", "false"}});
  Container c = container("a", 2);
  c.network_mode = "container:id-3";
  c.attachments.clear();
  catalog.seen(c, true, at(0s));
  EXPECT_EQ(why(catalog), ReasonKind::NoNetwork);

  catalog.seen(vpn, true, at(0s));

  EXPECT_EQ(standing(catalog).url, "http://172.17.0.3:80");

  EXPECT_TRUE(catalog.removed("", "id-3", at(1s)).changed);
  EXPECT_EQ(why(catalog), ReasonKind::NoNetwork);
  EXPECT_EQ(standing(catalog).url, "") << "what is removed must not be dialled";
}

TEST(Catalog, AnAddressThatWasLeftIsToldAsGoneAtOnce) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.attachments.push_back({"other", "o", "172.20.0.2", "", ""});
  Container guest = container("b", 3);
  guest.network_mode = "container:id-2";
  guest.attachments.clear();
  guest.ports[0].number = 81;
  catalog.seen(c, true, at(0s));
  catalog.seen(guest, true, at(0s));
  c.attachments.push_back({"zone", "z", "172.21.0.2", "", ""});
  EXPECT_TRUE(catalog.seen(c, false, at(1s)).servers.empty()) << "one more network";

  c.attachments.erase(c.attachments.begin());
  const Effects effects = catalog.seen(c, false, at(2s));

  ASSERT_EQ(effects.servers.size(), 2u);
  EXPECT_EQ(effects.servers[0].url, "http://172.17.0.2:80");
  EXPECT_EQ(effects.servers[0].state, ServerState::Gone);
  EXPECT_EQ(effects.servers[1].url, "http://172.17.0.2:81") << "of the container that uses its network";
  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
  EXPECT_EQ(standing(catalog).url, "http://172.20.0.2:80");
}

TEST(Catalog, AnAddressThatAnotherContainerHasByNowIsNotGone) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  catalog.seen(c, true, at(0s));
  Container heir = container("b", 3);
  heir.attachments = c.attachments;
  catalog.seen(heir, true, at(1s));

  c.attachments[0] = {"other", "o", "172.20.0.2", "", ""};

  EXPECT_TRUE(catalog.seen(c, false, at(2s)).servers.empty());
}

TEST(Catalog, ChangesOfContainersThatAreNotExposedChangeNothing) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2, {{"traefik.enable", "false"}});

  EXPECT_FALSE(catalog.seen(c, true, at(0s)).changed);
  EXPECT_FALSE(catalog.stopping("", "id-2", "15", at(1s)).changed);
  EXPECT_FALSE(catalog.removed("", "id-2", at(2s)).changed);
}

TEST(Catalog, TwoContainersBehindOneAddressDoNotDrainEachOther) {
  Catalog catalog = test::catalog();
  for (int number : {2, 3}) {
    Container c = container(number == 2 ? "a" : "b", number);
    c.network_mode = "host";
    c.attachments = {{"host", "h", "", "", ""}};
    catalog.seen(c, true, at(0s));
  }

  const Effects effects = catalog.stopping("", "id-3", "15", at(1s));

  EXPECT_TRUE(effects.servers.empty());
  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
}

}  // namespace
}  // namespace fairlead::providers::docker
