#include "providers/docker/build.h"

#include "providers/docker/test_containers.h"

#include <gtest/gtest.h>

namespace fairlead::providers::docker {
namespace {

using test::container;

Built make(const Container& c, const Settings& s = test::settings(),
           std::optional<std::uint16_t> chosen = {}) {
  return build(c, Surroundings{}, s, chosen);
}

TEST(Build, GivesAContainerWithoutLabelsARouterAndAService) {
  const Built b = make(test::replica("shop", "web", 2));

  ASSERT_TRUE(b.exposed);
  ASSERT_EQ(b.dynamic.http.routers.size(), 1u);
  const auto& [name, router] = *b.dynamic.http.routers.begin();
  EXPECT_EQ(name, "web-shop");
  EXPECT_EQ(router.options.rule, "Host(`web-shop`)");
  EXPECT_EQ(router.options.service, "web-shop");
  EXPECT_TRUE(router.by_default_rule);
  EXPECT_EQ(router.owner, "shop/web");
  ASSERT_EQ(b.servers.size(), 1u);
  EXPECT_EQ(b.servers[0].url, "http://172.17.0.2:80");
  EXPECT_EQ(b.dynamic.http.services.at("web-shop").options.load_balancer->servers[0].url,
            "http://172.17.0.2:80");
}

TEST(Build, FollowsPortSchemeAndUrlLabels) {
  const Built port = make(container("a", 2,
                                    {{"traefik.http.services.s.loadbalancer.server.port", "9000"},
                                     {"traefik.http.services.s.loadbalancer.server.scheme", "h2c"}}));
  const Built url =
      make(container("a", 2, {{"traefik.http.services.s.loadbalancer.server.url", "http://10.0.0.1:5"}}));
  const Built both = make(container("a", 2,
                                    {{"traefik.http.services.s.loadbalancer.server.url", "http://10.0.0.1:5"},
                                     {"traefik.http.services.s.loadbalancer.server.port", "5"}}));
  const Built bad = make(container("a", 2, {{"traefik.http.services.s.loadbalancer.server.port", "http"}}));

  EXPECT_EQ(port.servers.at(0).url, "h2c://172.17.0.2:9000");
  EXPECT_EQ(port.dynamic.http.routers.at("a").options.service, "s");
  EXPECT_EQ(url.servers.at(0).url, "http://10.0.0.1:5");
  EXPECT_EQ(both.servers.at(0).url, "");
  EXPECT_EQ(both.servers.at(0).reasons.at(0).kind, model::ReasonKind::NoPort);
  EXPECT_EQ(bad.servers.at(0).reasons.at(0).text, "\"http\" is no port (1 to 65535)");
  EXPECT_FALSE(bad.dynamic.http.routers.at("a").broken()) << "the route stands and answers 503";
}

TEST(Build, ASchemeMayBeLeftEmptyAndIsOfAnyCase) {
  const auto url_with = [](const std::string& scheme) {
    const Built built = make(container("a", 2,
                                       {{"traefik.http.services.s.loadbalancer.server.port", "9000"},
                                        {"traefik.http.services.s.loadbalancer.server.scheme", scheme}}));
    return built.dynamic.http.services.at("s").broken() ? "" : built.servers.at(0).url;
  };

  EXPECT_EQ(url_with(""), "http://172.17.0.2:9000");
  EXPECT_EQ(url_with("HTTPS"), "https://172.17.0.2:9000");
  EXPECT_EQ(url_with("ftp"), "");
}

TEST(Build, ChoosesAmongExposedPorts) {
  Container c = container("a", 2);
  c.ports = {{53, false, {}}, {3000, true, {}}, {8080, true, {{"0.0.0.0", 80}}}, {9000, true, {}}};

  EXPECT_EQ(choose_port(c, true, std::nullopt), 8080) << "the published one";
  EXPECT_EQ(choose_port(c, true, 9000), 9000) << "the one that answered HTTP";
  EXPECT_EQ(choose_port(c, true, 1), 8080) << "not exposed any more";
  EXPECT_EQ(choose_port(c, false, std::nullopt), 53);
  c.ports[2].bindings.clear();
  EXPECT_EQ(choose_port(c, true, std::nullopt), 3000) << "the lowest";
  EXPECT_TRUE(make(c).ambiguous);
  EXPECT_EQ(make(c).probes.size(), 3u);
  c.ports = {{5000, true, {}}};
  EXPECT_EQ(choose_port(c, false, std::nullopt), 5000) << "EXPOSE without /udp";
  c.ports = {};
  EXPECT_EQ(make(c).servers.at(0).reasons.at(0).text, "a: port is missing");
}

TEST(Build, TriesNoEndlessRangeOfPorts) {
  Container c = container("a", 2);
  c.ports.clear();
  for (std::uint16_t port = 20'000; port < 36'000; ++port) c.ports.push_back({port, true, {}});

  EXPECT_TRUE(make(c).ambiguous);
  EXPECT_EQ(make(c).probes.size(), 100u);
}

TEST(Build, ExposesWhatEnableAndConstraintsSay) {
  Settings hidden = test::settings();
  hidden.exposed_by_default = false;
  Settings limited = test::settings();
  limited.constraints = *Constraints::parse("Label(`tier`, `front`)");
  Settings broken = test::settings();
  broken.constraints.reset();

  EXPECT_EQ(make(container("a", 2, {{"traefik.enable", "false"}})).filtered, "Filtering disabled container");
  EXPECT_EQ(make(container("a", 2), hidden).filtered, "Filtering disabled container, as no label enables it");
  EXPECT_FALSE(make(container("a", 2), hidden).exposed);
  EXPECT_TRUE(make(container("a", 2, {{"traefik.enable", "true"}}), hidden).exposed);
  EXPECT_TRUE(make(container("a", 2, {{"traefik.enable", "false"}, {"fairlead.enable", "true"}})).exposed);
  EXPECT_EQ(make(container("a", 2), limited).filtered, "Container pruned by constraint expression");
  EXPECT_TRUE(make(container("a", 2, {{"tier", "front"}}), limited).exposed);
  EXPECT_FALSE(make(container("a", 2), broken).exposed);
  EXPECT_FALSE(make(container("a", 2, {{"com.docker.compose.oneoff", "True"}})).exposed);
}

TEST(Build, EnableThatIsNoBooleanExposesNothingAndIsSaid) {
  const Built b = make(container("a", 2, {{"traefik.enable", "yes"}}));

  EXPECT_FALSE(b.exposed);
  ASSERT_EQ(b.notes.size(), 1u);
  EXPECT_NE(b.notes[0].text.find("expected true or false, got \"yes\""), std::string::npos);
}

TEST(Build, AMisspeltEnableNeverExposesWhatItWouldHide) {
  const Built b = make(container("a", 2, {{"traefik.enabled", "false"}}));

  EXPECT_FALSE(b.exposed);
  ASSERT_EQ(b.notes.size(), 1u);
  EXPECT_EQ(b.notes[0].hint, "did you mean `traefik.enable`?");
}

TEST(Build, AContainerWithTcpLabelsOnlyHasNoHttpPart) {
  const Built b = make(container("db", 2, {{"traefik.tcp.routers.db.rule", "HostSNI(`*`)"}}));

  EXPECT_TRUE(b.dynamic.http.routers.empty());
  EXPECT_TRUE(b.dynamic.http.services.empty());
  EXPECT_EQ(b.dynamic.tcp.routers.at("db").options.service, "db");
  EXPECT_EQ(b.dynamic.tcp.services.at("db").options.load_balancer->servers.at(0).address, "172.17.0.2:80");
}

TEST(Build, MiddlewareLabelsAloneStillGiveARouter) {
  const Built b = make(container("a", 2, {{"traefik.http.middlewares.m.headers.framedeny", "true"}}));

  EXPECT_EQ(b.dynamic.http.routers.count("a"), 1u);
  EXPECT_EQ(b.dynamic.http.middlewares.at("m").options.type, "headers");
}

TEST(Build, ARouterAmongSeveralServicesMustNameOne) {
  const Built b = make(container("a", 2,
                                 {{"traefik.http.routers.r.rule", "Host(`a`)"},
                                  {"traefik.http.services.s1.loadbalancer.server.port", "1"},
                                  {"traefik.http.services.s2.loadbalancer.server.port", "2"}}));
  const Built none = make(container("a", 2,
                                    {{"traefik.http.services.s1.loadbalancer.server.port", "1"},
                                     {"traefik.http.services.s2.loadbalancer.server.port", "2"}}));

  EXPECT_TRUE(b.dynamic.http.routers.at("r").broken());
  EXPECT_TRUE(none.dynamic.http.routers.empty());
  EXPECT_EQ(none.dynamic.http.services.size(), 2u);
}

TEST(Build, ATcpRouterNeedsARule) {
  const Built b = make(container("a", 2, {{"traefik.tcp.routers.r.entrypoints", "db"}}));

  EXPECT_TRUE(b.dynamic.tcp.routers.at("r").broken());
}

TEST(Build, TheDefaultRuleSeesNameAndLabels) {
  Settings s = test::settings();
  s.default_rule = *Template::parse("Host(`{{ .ContainerName }}.{{ index .Labels \"zone\" }}`)");
  Settings without = test::settings();
  without.default_rule.reset();

  EXPECT_EQ(make(container("a", 2, {{"zone", "example.com"}}), s).dynamic.http.routers.at("a").options.rule,
            "Host(`a.example.com`)");
  EXPECT_TRUE(make(container("a", 2), without).dynamic.http.routers.at("a").broken());
}

TEST(Build, ADefaultRuleThatReadsAnAbsentLabelIsSaid) {
  Settings s = test::settings();
  s.default_rule = *Template::parse("Host(`{{ .Labels.zone }}`)");

  const Built with = make(container("a", 2, {{"zone", "example.com"}}), s);
  const Built without = make(container("a", 2), s);

  EXPECT_TRUE(with.dynamic.http.routers.at("a").reasons.empty());
  ASSERT_EQ(without.dynamic.http.routers.at("a").reasons.size(), 1u);
  EXPECT_EQ(without.dynamic.http.routers.at("a").reasons[0].text,
            "defaultRule gives Host(`<no value>`): it reads a label that the container does not have");
}

TEST(Build, NeverGivesAnAddressOfAContainerThatIsNotRunning) {
  Container c = container("a", 2);
  c.running = Running::Exited;

  const Built b = make(c);

  EXPECT_EQ(b.servers.at(0).url, "");
  EXPECT_TRUE(b.probes.empty());
  EXPECT_TRUE(b.dynamic.http.services.at("a").options.load_balancer->servers.empty());
}

TEST(Build, AMisspeltMiddlewaresLabelBreaksTheRouter) {
  const Built b = make(container(
      "a", 2, {{"traefik.http.routers.r.rule", "Host(`a`)"}, {"traefik.http.routers.r.middleware", "auth"}}));

  EXPECT_TRUE(b.dynamic.http.routers.at("r").broken());
}

TEST(Build, AsksNoMeaningOfALabelThatTheConstraintsName) {
  Settings s = test::settings();
  const Container c = container("a", 2, {{"traefik.constraint-label", "public"}, {"traefik.other", "x"}});
  ASSERT_EQ(make(c, s).dynamic.reasons.size(), 2u);

  s.constraints =
      *Constraints::parse("!Label(`traefik.off`, `1`) && Label(`traefik.constraint-label`, `public`)");
  const Built b = make(c, s);

  ASSERT_TRUE(b.exposed);
  ASSERT_EQ(b.dynamic.reasons.size(), 1u);
  EXPECT_NE(b.dynamic.reasons[0].text.find("traefik.other"), std::string::npos);
}

TEST(Build, ShortLabelsAreEnoughForASite) {
  const Built b = make(container("a", 2, {{"fairlead.host", "a.example.com"}, {"fairlead.port", "8080"}}));

  ASSERT_EQ(b.servers.size(), 1u);
  EXPECT_EQ(b.servers[0].url, "http://172.17.0.2:8080");
  EXPECT_NE(b.dynamic.http.routers.at("a").options.rule.find("a.example.com"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::providers::docker
