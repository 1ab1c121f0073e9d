#include "engine/exchange/request_rules.h"

#include "engine/exchange/test_exchange.h"

#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

class RulesTest : public ::testing::Test {
 protected:
  RulesTest() {
    entry_point_.name = "web";
    entry_point_.server_name = "edge-1";
    x_.client_ip = "192.0.2.7";
  }
  Result<> apply() { return apply_entry_rules(x_, entry_point_); }
  std::string_view field(std::string_view name) { return x_.request.fields.get(name); }

  EntryPoint entry_point_;
  test::TestExchange x_{"GET", "/a/../b?x=1;y=2", "Example.com:8080"};
};

TEST_F(RulesTest, MakesPathQueryAndHostCanonical) {
  ASSERT_TRUE(apply());

  EXPECT_EQ(x_.request.path, "/b");
  EXPECT_EQ(x_.request.query, "x=1&y=2");
  EXPECT_EQ(x_.request.host, "example.com");
}

TEST_F(RulesTest, TellsTheOriginAboutTheClient) {
  ASSERT_TRUE(apply());

  EXPECT_EQ(field("X-Forwarded-Host"), "Example.com:8080");
  EXPECT_EQ(field("X-Forwarded-Port"), "8080");
  EXPECT_EQ(field("X-Forwarded-Proto"), "http");
  EXPECT_EQ(field("X-Forwarded-Server"), "edge-1");
  EXPECT_EQ(field("X-Real-Ip"), "192.0.2.7");
}

TEST_F(RulesTest, NamesNoHostWhereTheClientNamedNone) {
  x_.request.authority = {};

  ASSERT_TRUE(apply());

  EXPECT_FALSE(x_.request.fields.has("X-Forwarded-Host"));
  EXPECT_EQ(field("X-Forwarded-Port"), "80");
}

TEST_F(RulesTest, TellsThePortThatBelongsToTheSchemeATrustedPeerNamed) {
  entry_point_.forwarded.insecure = true;
  x_.request.authority = "example.com";
  x_.header("X-Forwarded-Proto", "https");

  ASSERT_TRUE(apply());

  EXPECT_EQ(field("X-Forwarded-Port"), "443");
}

TEST_F(RulesTest, TellsWhatATrustedPeerLeftEmpty) {
  entry_point_.forwarded.insecure = true;
  entry_point_.forwarded.add_scheme = true;
  for (const char* name : {"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto",
                           "X-Real-Ip", "X-Scheme"})
    x_.header(name, "");

  ASSERT_TRUE(apply());

  EXPECT_FALSE(x_.request.fields.has("X-Forwarded-For")) << "the peer is added where the request leaves";
  EXPECT_EQ(field("X-Forwarded-Host"), "Example.com:8080");
  EXPECT_EQ(field("X-Forwarded-Port"), "8080");
  EXPECT_EQ(field("X-Forwarded-Proto"), "http");
  EXPECT_EQ(field("X-Real-Ip"), "192.0.2.7");
  EXPECT_EQ(field("X-Scheme"), "http");
}

TEST_F(RulesTest, SpellsTheFieldsOfAWebSocketHandshakeAsItsStandardDoes) {
  x_.header("sec-websocket-version", "13");
  x_.header("SEC-WEBSOCKET-KEY", "dGhlIHNhbXBsZSBub25jZQ==");
  x_.request.upgrade = "WebSocket";

  ASSERT_TRUE(apply());

  std::vector<std::string_view> names;
  for (const http::Field& line : x_.request.fields)
    if (line.name.starts_with("Sec-")) names.push_back(line.name);
  EXPECT_EQ(names, (std::vector<std::string_view>{"Sec-WebSocket-Version", "Sec-WebSocket-Key"}));
  EXPECT_EQ(field("X-Forwarded-Proto"), "ws");
}

TEST_F(RulesTest, BelievesNoManagedFieldOfAnUntrustedPeerInAnySpelling) {
  for (const char* name : {"X-Forwarded-For", "x_forwarded_for", "X-Forwarded-Prefix", "X_Forwarded-Proto",
                           "X.Real.Ip", "X-Forwarded-Tls-Client-Cert", "x-forwarded-method"})
    x_.header(name, "forged");

  ASSERT_TRUE(apply());

  for (const http::Field& line : x_.request.fields) EXPECT_NE(line.value, "forged") << line.name;
}

TEST_F(RulesTest, TellsTheSchemeByItsOtherNamesWhenAsked) {
  entry_point_.forwarded.add_scheme = true;
  x_.header("X_Scheme", "forged").header("X-Forwarded-Scheme", "forged");

  ASSERT_TRUE(apply());

  EXPECT_EQ(field("X-Forwarded-Scheme"), "http");
  EXPECT_EQ(field("X-Scheme"), "http");
  EXPECT_EQ(field("X_Scheme"), "");
}

TEST_F(RulesTest, KeepsWhatATrustedPeerSaysAndJoinsItsLines) {
  entry_point_.forwarded.trusted = {*net::Cidr::parse("192.0.2.0/24")};
  x_.header("X-Forwarded-For", "1.1.1.1")
      .header("X-Forwarded-For", "2.2.2.2")
      .header("X-Forwarded-Proto", "https");

  ASSERT_TRUE(apply());

  EXPECT_EQ(field("X-Forwarded-For"), "1.1.1.1, 2.2.2.2");
  EXPECT_EQ(field("X-Forwarded-Proto"), "https");
}

TEST_F(RulesTest, BelievesATrustedPeerOnlyInTheOneSpelling) {
  entry_point_.forwarded.insecure = true;
  x_.header("X_Forwarded_Proto", "forged").header("X.Forwarded.For", "forged").header("x_real-ip", "forged");

  ASSERT_TRUE(apply());

  for (const http::Field& line : x_.request.fields) EXPECT_NE(line.value, "forged") << line.name;
}

TEST_F(RulesTest, ConnectionCannotTakeAwayWhatIsAddedLater) {
  entry_point_.forwarded.connection = {"X-Kept", "X-Forwarded-Host"};
  x_.header("Connection", "keep-alive, X-User, x-real-ip, X-Kept")
      .header("Connection", "X-Forwarded-Host, X-User");

  ASSERT_TRUE(apply());

  EXPECT_EQ(x_.request.fields.joined("Connection"), "keep-alive, X-Kept");
}

TEST_F(RulesTest, ConnectionTakesAwayOnlyWhatIsNotOurs) {
  x_.header("Connection", "X-Drop, x-real-ip, X-Forwarded-Host").header("X-Drop", "1");

  ASSERT_TRUE(apply());

  EXPECT_FALSE(x_.request.fields.has("X-Drop"));
  EXPECT_EQ(field("X-Real-Ip"), "192.0.2.7");
  EXPECT_EQ(field("X-Forwarded-Host"), "Example.com:8080");
}

TEST_F(RulesTest, ConnectionNamesAHundredFieldsAndNoMore) {
  std::string names = "close";
  for (int i = 1; i < 100; ++i) names += ", x-a";
  x_.header("Connection", names).header("X-A", "1");
  ASSERT_TRUE(apply());
  EXPECT_EQ(field("X-A"), "");

  x_.header("Connection", names + ", x-b");
  const Result<> refused = apply();

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, 400);
}

TEST_F(RulesTest, UnderscoreNamesAreKeptDroppedOrRefused) {
  x_.header("X_Custom", "1");
  ASSERT_TRUE(apply());
  EXPECT_TRUE(x_.request.fields.has("X_Custom"));

  entry_point_.underscores = UnderscoreHeaders::Reject;
  const Result<> refused = apply();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, 400);

  entry_point_.underscores = UnderscoreHeaders::Delete;
  ASSERT_TRUE(apply());
  EXPECT_FALSE(x_.request.fields.has("X_Custom"));
}

TEST_F(RulesTest, RefusesFramingInDisguise) {
  x_.header("Content_Length", "5");

  EXPECT_FALSE(apply());
}

}  // namespace
}  // namespace fairlead::exchange
