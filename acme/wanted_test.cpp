#include "acme/wanted.h"

#include "acme/solver_tls_alpn01.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::acme {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Names = std::vector<std::string>;

class Wanting : public testing::Test {
 protected:
  Wanting() {
    install_.certificates_resolvers["le"].acme.emplace();
    install_.certificates_resolvers["other"].acme.emplace();
    install_.entry_points["web"].address = ":80";
    install_.entry_points["secure"].address = ":443";
  }
  // A rule is a list of hosts here.
  WantedList wanted() const {
    return wanted_certificates(dynamic_, install_, [](const std::string& rule, const std::string&, bool) {
      Names out;
      for (std::size_t at = 0; at < rule.size();) {
        const std::size_t end = std::min(rule.find(' ', at), rule.size());
        out.push_back(rule.substr(at, end - at));
        at = end + 1;
      }
      return out;
    });
  }
  model::HttpRouter& router(const std::string& name, const std::string& rule) {
    model::HttpRouter& made = dynamic_.http.routers[name].options;
    made.rule = rule;
    made.service = "s@docker";
    made.tls.emplace().cert_resolver = "le";
    return made;
  }

  model::Dynamic dynamic_;
  model::Static install_;
};

TEST_F(Wanting, TakesTheHostsOfTheRuleUnlessDomainsAreNamed) {
  router("a@docker", "A.test. b.test * a.test");
  router("b@docker", "x.test").tls->domains = {{"m.test", {"*.m.test"}}, {"n.test", {}}};

  const auto list = wanted().certificates;

  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].names, (Names{"m.test", "*.m.test"})) << "sorted by their names";
  EXPECT_EQ(list[1].names, (Names{"a.test", "b.test"}));
  EXPECT_EQ(list[2].names, (Names{"n.test"}));
}

TEST_F(Wanting, SplitsWhatNoAuthorityPutsIntoOneCertificate) {
  std::string rule;
  for (int i = 0; i < 201; ++i) rule += "n" + std::to_string(i) + ".test ";
  router("a@docker", rule);

  const auto list = wanted().certificates;

  ASSERT_EQ(list.size(), 3U);
  Names all;
  for (const Wanted& one : list) {
    EXPECT_LE(one.names.size(), 100U);
    EXPECT_THAT(one.routers, ElementsAre("http/a@docker"));
    all.insert(all.end(), one.names.begin(), one.names.end());
  }
  EXPECT_EQ(all.size(), 201U);
  EXPECT_THAT(all, testing::Contains("n200.test"));
}

TEST_F(Wanting, JoinsEqualSetsOfOneResolver) {
  router("a@docker", "a.test b.test");
  router("b@docker", "b.test a.test");
  router("c@docker", "a.test b.test").tls->cert_resolver = "other";
  router("d@docker", "a.test").tls->cert_resolver = "nobody";

  const auto list = wanted().certificates;

  ASSERT_EQ(list.size(), 2U);
  EXPECT_THAT(list[0].routers, ElementsAre("http/a@docker", "http/b@docker"));
  EXPECT_EQ(list[1].resolver, "other");
}

TEST_F(Wanting, TakesTlsOfTheEntryPointWhereTheRouterHasNone) {
  install_.entry_points["secure"].http.tls.emplace().cert_resolver = "le";
  router("a@docker", "a.test").tls.reset();
  router("b@docker", "b.test").tls->cert_resolver = "";
  router("c@docker", "c.test").tls.reset();
  dynamic_.http.routers["c@docker"].options.entry_points = {"web"};
  model::HttpRouter& tokens = router("acme-http@internal", "d.test");
  tokens.service = "acme-http@internal";
  tokens.tls.reset();

  const auto list = wanted().certificates;

  ASSERT_EQ(list.size(), 1U) << "a router's own tls replaces the entry point's altogether";
  EXPECT_EQ(list[0].names, (Names{"a.test"}));
}

TEST_F(Wanting, TakesTheDomainsOfTheEntryPointOfTheApi) {
  auto& tls = install_.entry_points["secure"].http.tls.emplace();
  tls.cert_resolver = "le";
  tls.domains = {{"api.test", {}}};
  model::HttpRouter& api = router("api@internal", "");
  api.service = "api@internal";
  api.tls.reset();
  api.entry_points = {"secure"};

  const auto list = wanted().certificates;

  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].names, (Names{"api.test"}));
}

TEST_F(Wanting, OrdersNothingForStoppedAndShadowedOwners) {
  router("a@docker", "a.test");
  dynamic_.http.standings["s@docker"].push_back({.state = model::ServerState::Gone});
  router("b@docker", "b.test").service = "t@docker";
  dynamic_.http.routers["b@docker"].warn(model::ReasonKind::Shadowed, "another comes first");

  const auto list = wanted().certificates;

  ASSERT_EQ(list.size(), 1U);
  EXPECT_FALSE(list[0].may_order);
}

TEST_F(Wanting, TakesTcpRoutersThatEndTls) {
  auto& ended = dynamic_.tcp.routers["db@docker"].options;
  ended.rule = "db.test";
  ended.tls.emplace().cert_resolver = "le";
  auto& passed = dynamic_.tcp.routers["pass@docker"].options;
  passed.rule = "pass.test";
  passed.tls.emplace().cert_resolver = "le";
  passed.tls->passthrough = true;

  const WantedList list = wanted();

  ASSERT_EQ(list.certificates.size(), 1U);
  EXPECT_THAT(list.certificates[0].routers, ElementsAre("tcp/db@docker"));
  ASSERT_EQ(list.unusable.size(), 1U) << "who asks for a certificate is told that there will be none";
  EXPECT_EQ(list.unusable[0].router, "tcp/pass@docker");
  EXPECT_THAT(list.unusable[0].what, testing::HasSubstr("tls.passthrough"));
}

TEST_F(Wanting, TellsNamesThatNoAuthorityCertifies) {
  router("a@docker", "*.*.test good.test");

  const auto list = wanted();

  EXPECT_EQ(list.certificates[0].names, (Names{"good.test"}));
  ASSERT_EQ(list.unusable.size(), 1U);
  EXPECT_EQ(list.unusable[0].router, "http/a@docker");
}

TEST_F(Wanting, TellsHowNamesOfOtherScriptsAreWritten) {
  router("a@docker", "").tls->domains = {{"bücher.test", {}}};

  const auto list = wanted();

  EXPECT_THAT(list.certificates, IsEmpty());
  ASSERT_EQ(list.unusable.size(), 1U);
  EXPECT_THAT(list.unusable[0].what, testing::HasSubstr("write it as the DNS does, xn--"));
}

TEST_F(Wanting, TellsARouterWhoseRuleNamesNoHost) {
  router("a@docker", "");
  router("any@docker", "*");
  router("b@docker", "").tls->cert_resolver = "nobody";
  router("c@docker", "").tls->domains = {{"c.test", {}}};
  install_.entry_points["secure"].http.tls.emplace().cert_resolver = "le";
  router("d@docker", "").tls.reset();
  dynamic_.http.routers["e@docker"] = dynamic_.http.routers["a@docker"];
  dynamic_.http.routers["e@docker"].break_off(model::ReasonKind::BadOption, "the rule does not parse");

  const auto list = wanted();

  ASSERT_EQ(list.unusable.size(), 2U);
  EXPECT_EQ(list.unusable[0].router, "http/a@docker");
  EXPECT_EQ(list.unusable[1].router, "http/any@docker");
  EXPECT_THAT(list.unusable[1].what, testing::HasSubstr("name them in tls.domains"));
}

TEST_F(Wanting, TellsRoutersThatTheirEntryPointNamesAResolverThatIsMissing) {
  install_.entry_points["secure"].http.tls.emplace().cert_resolver = "nobody";
  model::HttpRouter& inherits = router("a@docker", "a.test");
  inherits.tls.reset();
  inherits.entry_points = {"secure"};
  router("b@docker", "b.test").entry_points = {"secure"};

  const auto list = wanted();

  EXPECT_EQ(list.certificates.size(), 1U);
  ASSERT_EQ(list.unusable.size(), 1U);
  EXPECT_EQ(list.unusable[0].router, "http/a@docker");
  EXPECT_EQ(list.unusable[0].what,
            "there is no certificate resolver `nobody`, which entry point `secure` names; "
            "other certificates are used");
}

TEST_F(Wanting, TellsDomainsThatNameNone) {
  router("a@docker", "a.test").tls->domains = {{"", {}}, {"b.test", {}}};

  const auto list = wanted();

  ASSERT_EQ(list.certificates.size(), 1U)
      << "as in Traefik, the hosts of the rule do not count beside domains";
  EXPECT_EQ(list.certificates[0].names, (Names{"b.test"}));
  ASSERT_EQ(list.unusable.size(), 1U);
  EXPECT_EQ(list.unusable[0].what, "an entry of tls.domains names no domain");
}

TEST_F(Wanting, TakesTheGeneratedDefaultCertificateUnlessOneIsConfigured) {
  auto& store = dynamic_.tls.stores["default"].options;
  store.default_generated_cert = model::GeneratedCert{"le", model::Domain{"d.test", {}}};
  ASSERT_EQ(wanted().certificates.size(), 1U);
  EXPECT_TRUE(wanted().certificates[0].is_default);

  store.default_certificate.emplace();
  EXPECT_THAT(wanted().certificates, IsEmpty());
}

TEST(Names, AreCheckedBeforeTheyAreOrdered) {
  EXPECT_EQ(certificate_name("A.Test."), "a.test");
  EXPECT_EQ(certificate_name("*.a.test"), "*.a.test");
  EXPECT_EQ(certificate_name("2001:DB8::1"), "2001:db8::1");
  for (const char* bad : {"", "*", "*.*", "a..b", "a b", "a*.test", "ä.test", "a/b"})
    EXPECT_EQ(certificate_name(bad), "") << bad;
}

TEST(TlsAlpn01, AsksForAddressesByTheirReverseName) {
  EXPECT_EQ(reverse_name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
  EXPECT_EQ(reverse_name("2001:db8::1"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

}  // namespace
}  // namespace fairlead::acme
