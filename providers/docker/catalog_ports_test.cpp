#include "providers/docker/catalog.h"
#include "providers/docker/test_containers.h"

#include <gtest/gtest.h>

// Which of several ports is used.
namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;
using model::ServerState;
using test::at;
using test::container;
using test::standing;

TEST(CatalogPorts, AmongSeveralPortsTheOneThatAnswersHttpIsUsed) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.ports = {{25, true, {}}, {80, true, {}}};
  catalog.seen(c, false, at(0s));
  ASSERT_EQ(catalog.probes().size(), 1u);
  EXPECT_TRUE(catalog.probes()[0].ask_http);

  catalog.probed("", "id-2", {{25, true, false}, {80, false, false}}, at(100ms));
  EXPECT_EQ(standing(catalog).state, ServerState::Starting);
  catalog.probed("", "id-2", {{25, true, false}, {80, true, true}}, at(200ms));

  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
  EXPECT_EQ(standing(catalog).url, "http://172.17.0.2:80");
}

TEST(CatalogPorts, AmongSeveralPortsWithoutHttpTheLowestIsUsedInTheEnd) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.ports = {{25, true, {}}, {80, true, {}}};
  catalog.seen(c, true, at(0s));
  EXPECT_TRUE(catalog.choosing_ports());

  catalog.tick(at(500ms));

  EXPECT_FALSE(catalog.choosing_ports());
  EXPECT_EQ(standing(catalog).url, "http://172.17.0.2:25");
}

TEST(CatalogPorts, AnHttpAnswerThatIsSlowIsAwaited) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.ports = {{22, true, {}}, {80, true, {}}};
  const std::vector<ProbeResult> silent{{.port = 22, .accepts = true},
                                        {.port = 80, .accepts = true, .awaited = true}};
  catalog.seen(c, false, at(0s));

  catalog.probed("", "id-2", silent, at(100ms));
  catalog.probed("", "id-2", silent, at(3s));
  EXPECT_EQ(standing(catalog).state, ServerState::Starting);
  catalog.probed("", "id-2", {{22, true}, {80, true, true}}, at(4s));

  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
  EXPECT_EQ(standing(catalog).url, "http://172.17.0.2:80");
}

TEST(CatalogPorts, WhatServesAlreadyDoesSoByAGuessUntilASlowAnswerCame) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.ports = {{22, true, {}}, {80, true, {}}};
  catalog.seen(c, true, at(0s));
  catalog.probed("", "id-2", {{.port = 22, .accepts = true}, {.port = 80, .accepts = true, .awaited = true}},
                 at(100ms));

  catalog.tick(at(500ms));
  EXPECT_FALSE(catalog.choosing_ports());
  EXPECT_EQ(standing(catalog).state, ServerState::Ready);
  EXPECT_EQ(standing(catalog).url, "http://172.17.0.2:22");
  ASSERT_EQ(catalog.probes().size(), 1u);

  EXPECT_TRUE(catalog.probed("", "id-2", {{22, true}, {80, true, true}}, at(2s)).changed);
  EXPECT_EQ(standing(catalog).url, "http://172.17.0.2:80");
  EXPECT_TRUE(catalog.probes().empty());
}

TEST(CatalogPorts, TheLowestPortThatAnswersHttpIsUsedWhicheverComesFirst) {
  for (const bool late : {false, true}) {
    Catalog catalog = test::catalog();
    Container c = container("a", 2);
    c.ports = {{80, true, {}}, {9090, true, {}}};
    catalog.seen(c, false, at(0s));

    catalog.probed("", "id-2", {{80, false}, {9090, true, true}}, at(100ms));
    EXPECT_EQ(standing(catalog).state, ServerState::Starting);
    catalog.probed("", "id-2", {{80, !late, !late}, {9090, true, true}}, at(200ms));
    catalog.probed("", "id-2", {{80, false}, {9090, true, true}}, at(1100ms));

    EXPECT_EQ(standing(catalog).state, ServerState::Ready);
    EXPECT_EQ(standing(catalog).url, late ? "http://172.17.0.2:9090" : "http://172.17.0.2:80");
  }
}

TEST(CatalogPorts, APortThatRefusesTheProbesHostIsBetterThanOneWithoutHttp) {
  Catalog catalog = test::catalog();
  Container c = container("a", 2);
  c.ports = {{22, true, {}}, {8000, true, {}}};
  catalog.seen(c, false, at(0s));

  for (const Duration when : {100ms, 1100ms})
    catalog.probed("", "id-2",
                   {{.port = 22, .accepts = true}, {.port = 8000, .accepts = true, .says_400 = true}},
                   at(when));

  EXPECT_EQ(standing(catalog).url, "http://172.17.0.2:8000");
}

}  // namespace
}  // namespace fairlead::providers::docker
