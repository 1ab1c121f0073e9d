#include "engine/exchange/response.h"

#include "engine/exchange/test_exchange.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fairlead::exchange {
namespace {

TEST(OwnAnswer, IsShortTextForTextClients) {
  auto x = test::get("/");

  const Response response = answer(x, 502);

  EXPECT_EQ(response.head.status, 502);
  EXPECT_EQ(response.head.fields.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(response.head.content_length, 11u);
  EXPECT_EQ(test::text_of(response.body), "Bad Gateway");
}

TEST(OwnAnswer, SaysNotFoundAsTraefikDoes) {
  auto x = test::get("/");

  EXPECT_EQ(test::text_of(answer(x, 404).body), "404 page not found\n");
}

TEST(OwnAnswer, IsAPageForBrowsers) {
  auto x = test::get("/");
  x.header("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
  x.record.reason = "starting";

  const Response response = answer(x, 503, "<b>&\"");
  const std::string page = test::text_of(response.body);

  EXPECT_EQ(response.head.fields.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(response.head.content_length, page.size());
  EXPECT_NE(page.find("&lt;b&gt;&amp;&quot;"), page.npos);
  EXPECT_NE(page.find("Reason: starting"), page.npos);
  EXPECT_NE(page.find(response.head.fields.get("X-Request-Id")), page.npos);
}

TEST(OwnAnswer, IsAProblemForThoseWhoAcceptJson) {
  auto x = test::get("/");
  x.header("Accept", "application/json").header("X-Request-Id", "abc");
  x.record.reason = "unhealthy";

  const Response response = answer(x, 503, "\"\xff");
  const auto problem = nlohmann::json::parse(test::text_of(response.body));

  EXPECT_EQ(response.head.fields.get("Content-Type"), "application/problem+json");
  EXPECT_EQ(problem["status"], 503);
  EXPECT_EQ(problem["title"], "Service Unavailable");
  EXPECT_EQ(problem["reason"], "unhealthy");
  EXPECT_EQ(problem["requestId"], "abc");
}

TEST(OwnAnswer, SaysWhenToComeBackOnlyWhereTheReasonPasses) {
  auto passing = test::get("/");
  passing.record.reason = "starting";
  auto lasting = test::get("/");
  lasting.record.reason = "bad option";

  EXPECT_EQ(answer(passing, 503).head.fields.get("Retry-After"), "2");
  EXPECT_FALSE(answer(passing, 502).head.fields.has("Retry-After"));
  EXPECT_FALSE(answer(lasting, 503).head.fields.has("Retry-After"));
}

TEST(OwnAnswer, KeepsAStrangeRequestIdToItself) {
  auto x = test::get("/");
  x.header("X-Request-Id", "<script>");

  EXPECT_EQ(answer(x, 404).head.fields.get("X-Request-Id").size(), 32u);
}

TEST(Failure, HasTheErrorAsCauseAndShowsItsDetailToTrustedClientsOnly) {
  const ReasonsPolicy full{.detail = ReasonDetail::Full, .trusted = {*net::Cidr::parse("10.0.0.0/8")}};
  const auto page = [&](std::string_view ip, const ReasonsPolicy* policy) {
    auto x = test::get("/");
    x.from(ip).header("Accept", "text/html");
    x.reasons = policy;
    const Response response = failure(x, Error{502, Fault::Upstream, true, "connect 172.17.0.2:80: refused"});
    EXPECT_TRUE(response.retryable());
    return test::text_of(response.body);
  };

  EXPECT_NE(page("10.1.2.3", &full).find("172.17.0.2"), std::string::npos);
  EXPECT_NE(page("127.0.0.1", &full).find("172.17.0.2"), std::string::npos);
  EXPECT_EQ(page("192.0.2.7", &full).find("172.17.0.2"), std::string::npos);
  EXPECT_EQ(page("127.0.0.1", nullptr).find("172.17.0.2"), std::string::npos);
}

TEST(Failure, TellsTheClassOfWhatServersDid) {
  const auto reason = [](Error error) {
    auto x = test::get("/");
    failure(x, std::move(error));
    return x.record.reason;
  };

  EXPECT_EQ(reason({502, Fault::Upstream, true, "connect: refused"}), "unreachable");
  EXPECT_EQ(reason({502, Fault::Upstream, false, "closed before a complete head"}), "no valid answer");
  EXPECT_EQ(reason({504, Fault::Upstream, false, "no head in time"}), "no answer in time");
  EXPECT_EQ(reason({499, Fault::Client, false, "gone"}), "");
}

TEST(OwnAnswer, TellsNoReasonWhenThatIsOff) {
  const ReasonsPolicy off{.detail = ReasonDetail::Off, .trusted = {}};
  auto x = test::get("/");
  x.header("Accept", "text/html");
  x.record.reason = "starting";
  x.reasons = &off;

  EXPECT_EQ(test::text_of(answer(x, 503).body).find("starting"), std::string::npos);
}

TEST(Redirect, HasALocationAndTheStatusTextAsBody) {
  auto x = test::get("/");

  const Response response = redirect(x, 308, "https://example.com/");

  EXPECT_EQ(response.head.fields.get("Location"), "https://example.com/");
  EXPECT_EQ(test::text_of(response.body), "Permanent Redirect");
}

}  // namespace
}  // namespace fairlead::exchange
