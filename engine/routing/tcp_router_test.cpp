#include "engine/routing/tcp_router.h"

#include "engine/routing/rule_parser.h"

#include <gtest/gtest.h>

namespace fairlead::routing {
namespace {

using Kind = TcpDecision::Kind;

const ClientAddress kClient = ClientAddress::v4({10, 0, 0, 5});

class TcpRouterTest : public testing::Test {
 protected:
  Rule rule(std::string_view text) { return parse_rule(text, Protocol::Tcp).value(); }
  void plain(std::string_view text, std::uint32_t index) {
    const Rule made = rule(text);
    builder.add_plain(made, {.priority = made.default_priority(), .precedence = 0, .order = index}, index);
  }
  void tls(std::string_view text, std::uint32_t index, std::int64_t priority = 0) {
    const Rule made = rule(text);
    builder.add_tls(made,
                    {.priority = effective_priority(made, priority).value(), .precedence = 0, .order = index},
                    index);
  }
  TcpDecision hello(std::string_view server_name, std::vector<std::string_view> alpn = {}) {
    return router().tls({.server_name = server_name, .alpn = alpn, .client = kClient});
  }
  const TcpRouter& router() {
    if (!built) built = std::move(builder).build();
    return *built;
  }

  TcpRouter::Builder builder;
  std::optional<TcpRouter> built;
};

TEST_F(TcpRouterTest, TakesAConnectionBeforeReadingWhenNothingIsTls) {
  plain("HostSNI(`*`) && ClientIP(`10.0.0.0/8`)", 1);

  EXPECT_EQ(router().before_reading(kClient), 1U);
  EXPECT_FALSE(router().before_reading(ClientAddress::v4({11, 0, 0, 1})));
}

TEST_F(TcpRouterTest, ReadsFirstWhenAnyRouteIsTls) {
  plain("HostSNI(`*`)", 1);
  tls("HostSNI(`db.example.com`)", 2);

  EXPECT_FALSE(router().before_reading(kClient));
  EXPECT_EQ(router().plain(kClient), (TcpDecision{Kind::Tcp, 1}));
}

TEST_F(TcpRouterTest, ReadsFirstWhenAnyRouterIsHttps) {
  plain("HostSNI(`*`)", 1);
  builder.set_https_catch_all(0);

  EXPECT_FALSE(router().before_reading(kClient));
}

TEST_F(TcpRouterTest, LeavesPlainConnectionsWithoutARouteToHttp) {
  plain("HostSNI(`*`) && ClientIP(`192.0.2.1`)", 1);

  EXPECT_EQ(router().plain(kClient).kind, Kind::Http);
}

TEST_F(TcpRouterTest, NeverGivesAPlainConnectionToANamedRoute) {
  plain("HostSNI(`a.example.com`)", 1);

  EXPECT_EQ(router().plain(kClient).kind, Kind::Http);
}

TEST_F(TcpRouterTest, PrefersNamesOverCatchAllsAndHttpsOverTcp) {
  builder.add_https_host("web.example.com", 10);
  builder.add_https_host("both.example.com", 11);
  builder.set_https_catch_all(12);
  tls("HostSNI(`both.example.com`)", 20);
  tls("HostSNI(`db.example.com`)", 21);
  tls("HostSNI(`*`)", 22);

  EXPECT_EQ(hello("web.example.com"), (TcpDecision{Kind::Https, 10}));
  EXPECT_EQ(hello("both.example.com"), (TcpDecision{Kind::Https, 11}));
  EXPECT_EQ(hello("db.example.com"), (TcpDecision{Kind::TlsTcp, 21}));
  EXPECT_EQ(hello("other.example.com"), (TcpDecision{Kind::HttpsCatchAll, 12}));
  EXPECT_EQ(hello(""), (TcpDecision{Kind::HttpsCatchAll, 12}));
}

TEST_F(TcpRouterTest, GivesTheRestToTheTcpCatchAllThenToUnmatchedHttps) {
  builder.add_https_host("web.example.com", 10);
  EXPECT_EQ(hello("x").kind, Kind::HttpsUnmatched);

  builder = {};
  built.reset();
  builder.add_https_host("web.example.com", 10);
  tls("HostSNI(`*`)", 22);
  EXPECT_EQ(hello("x"), (TcpDecision{Kind::TlsTcp, 22}));
  EXPECT_EQ(hello(""), (TcpDecision{Kind::TlsTcp, 22}));
}

TEST_F(TcpRouterTest, ComparesServerNamesWithoutCaseAndTrailingDot) {
  builder.add_https_host("web.example.com", 10);
  tls("HostSNI(`DB.example.com.`)", 21);

  EXPECT_EQ(hello("WEB.Example.com."), (TcpDecision{Kind::Https, 10}));
  EXPECT_EQ(hello("Db.EXAMPLE.com."), (TcpDecision{Kind::TlsTcp, 21}));
}

TEST_F(TcpRouterTest, TakesOneLabelForAWildcardAndTheExactNameFirst) {
  builder.add_https_host("*.example.com", 10);
  builder.add_https_host("a.example.com", 11);
  tls("HostSNI(`*.db.example.com`)", 20);

  EXPECT_EQ(hello("a.example.com"), (TcpDecision{Kind::Https, 11}));
  EXPECT_EQ(hello("b.example.com"), (TcpDecision{Kind::Https, 10}));
  EXPECT_EQ(hello("1.db.example.com"), (TcpDecision{Kind::TlsTcp, 20}));
  EXPECT_EQ(hello("example.com").kind, Kind::HttpsUnmatched);
  EXPECT_EQ(hello("1.2.db.example.com").kind, Kind::HttpsUnmatched);
}

TEST_F(TcpRouterTest, MatchesAlpnOfAnyOfferedProtocol) {
  tls("HostSNI(`*`) && ALPN(`mqtt`)", 20);
  tls("HostSNIRegexp(`^db[0-9]+\\.`)", 21);

  EXPECT_EQ(hello("x", {"h2", "mqtt"}), (TcpDecision{Kind::TlsTcp, 20}));
  EXPECT_EQ(hello("x", {"h2"}).kind, Kind::HttpsUnmatched);
  EXPECT_EQ(hello("DB7.example.com"), (TcpDecision{Kind::TlsTcp, 21}));
}

TEST_F(TcpRouterTest, LetsAnExplicitPriorityLiftACatchAll) {
  tls("HostSNI(`*`)", 20, 1000);
  tls("HostSNI(`db.example.com`)", 21);

  EXPECT_EQ(hello("db.example.com"), (TcpDecision{Kind::TlsTcp, 20}));
}

TEST_F(TcpRouterTest, KeepsTheFirstOfTwoAdditionsOfAName) {
  builder.add_https_host("a.example.com", 10);
  builder.add_https_host("a.example.com", 11);

  EXPECT_EQ(hello("a.example.com"), (TcpDecision{Kind::Https, 10}));
  EXPECT_EQ(router().https("A.example.com."), (TcpDecision{Kind::Https, 10}));
}

TEST_F(TcpRouterTest, SurvivesNamesLongerThanAnyHost) {
  tls("HostSNIRegexp(`^a+$`)", 20);

  EXPECT_EQ(hello(std::string(60'000, 'a')), (TcpDecision{Kind::TlsTcp, 20}));
  EXPECT_EQ(hello(std::string(255, 'A')), (TcpDecision{Kind::TlsTcp, 20}));
}

TEST_F(TcpRouterTest, ExplainsWhyNoRouteTookAConnection) {
  tls("HostSNI(`db.example.com`) && ALPN(`mqtt`)", 20);

  const std::vector<std::string_view> alpn = {"h2"};
  const Trace trace = router().trace_tls({.server_name = "db.example.com", .alpn = alpn, .client = kClient});

  ASSERT_EQ(trace.lines.size(), 1U);
  EXPECT_EQ(trace.lines[0].clause, "ALPN(`mqtt`)");
  EXPECT_EQ(trace.lines[0].seen, "\"h2\"");
}

}  // namespace
}  // namespace fairlead::routing
