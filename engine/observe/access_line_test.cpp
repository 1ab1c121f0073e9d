#include "engine/observe/access_line.h"

#include "engine/observe/test_facts.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace fairlead::observe {
namespace {

using Json = nlohmann::ordered_json;
using test::SomeFacts;

std::string line(const model::AccessLog& options, const SomeFacts& some) {
  TimeText times;
  std::string out;
  AccessLine(options).append(out, some.facts(), 42, times);
  return out;
}

Json json(model::AccessLog options, const SomeFacts& some) {
  options.format = "json";
  const std::string text = line(options, some);
  EXPECT_TRUE(text.ends_with("}\n"));
  return Json::parse(text);
}

TEST(AccessLine, WritesTheCommonFormAsTraefikDoes) {
  EXPECT_EQ(line({}, SomeFacts()),
            "192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] \"GET /cart?id=7 HTTP/1.1\" 200 100 \"-\" \"-\" 42 "
            "\"shop@docker\" \"http://172.17.0.2:80\" 12ms\n");
}

TEST(AccessLine, StopsTheGenericFormAfterTheUserAgent) {
  model::AccessLog options;
  options.format = "genericCLF";
  options.fields.headers.names["user-agent"] = "keep";

  EXPECT_EQ(
      line(options, SomeFacts()),
      "192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] \"GET /cart?id=7 HTTP/1.1\" 200 100 \"-\" \"curl/8\"\n");
}

TEST(AccessLine, LetsNoPeerForgeALineOrAField) {
  SomeFacts some;
  some.record.user = "eve\n1.2.3.4 - x";
  some.request.set("User-Agent", "a\"b\\");
  some.request.set("Referer",
                   "caf\xc3\xa9 \xc2\x9b"
                   "31m \x9b"
                   "2J \xe2\x80\x94");
  model::AccessLog options;
  options.fields.headers.default_mode = "keep";

  const std::string text = line(options, some);

  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_NE(text.find("- eve\\x0a1.2.3.4\\x20-\\x20x ["), std::string::npos) << text;
  EXPECT_NE(text.find("\"a\\\"b\\\\\""), std::string::npos) << text;
  // U+009B begins what a terminal obeys.
  EXPECT_NE(text.find("\"caf\xc3\xa9 \xc2\\x9b31m \\x9b2J \xe2\x80\x94\""), std::string::npos) << text;
}

TEST(AccessLine, WritesEveryFieldOfTheJsonForm) {
  const Json out = json({}, SomeFacts());

  EXPECT_EQ(out["ClientAddr"], "192.0.2.7:40000");
  EXPECT_EQ(out["ClientHost"], "192.0.2.7");
  EXPECT_EQ(out["ClientPort"], "40000");
  EXPECT_EQ(out["ClientUsername"], "-");
  EXPECT_EQ(out["DownstreamContentSize"], 100);
  EXPECT_EQ(out["DownstreamStatus"], 200);
  EXPECT_EQ(out["Duration"], 12'000'000);
  EXPECT_EQ(out["GzipRatio"], 2.0);
  EXPECT_EQ(out["OriginContentSize"], 200);
  EXPECT_EQ(out["OriginDuration"], 10'000'000);
  EXPECT_EQ(out["OriginStatus"], 200);
  EXPECT_EQ(out["Overhead"], 2'000'000);
  EXPECT_EQ(out["RequestAddr"], "shop.example.com:8080");
  EXPECT_EQ(out["RequestContentSize"], 0);
  EXPECT_EQ(out["RequestCount"], 42);
  EXPECT_EQ(out["RequestHost"], "shop.example.com");
  EXPECT_EQ(out["RequestMethod"], "GET");
  EXPECT_EQ(out["RequestPath"], "/cart?id=7");
  EXPECT_EQ(out["RequestPort"], "8080");
  EXPECT_EQ(out["RequestProtocol"], "HTTP/1.1");
  EXPECT_EQ(out["RequestScheme"], "http");
  EXPECT_EQ(out["RetryAttempts"], 0);
  EXPECT_EQ(out["RouterName"], "shop@docker");
  EXPECT_EQ(out["ServiceAddr"], "172.17.0.2:80");
  EXPECT_EQ(out["ServiceName"], "shop-svc@docker");
  EXPECT_EQ(out["ServiceURL"], "http://172.17.0.2:80");
  EXPECT_EQ(out["StartUTC"], "2023-11-14T22:13:20.0125Z");
  EXPECT_EQ(out["entryPointName"], "web");
  EXPECT_EQ(out["level"], "info");
  EXPECT_EQ(out["msg"], "");
  EXPECT_TRUE(out.contains("time") && out.contains("StartLocal"));
  EXPECT_FALSE(out.contains("TLSVersion") || out.contains("Reason") || out.contains("request_User-Agent"));
}

TEST(AccessLine, WritesTheKeysOfTheJsonFormInOrder) {
  model::AccessLog options;
  options.fields.headers.default_mode = "keep";
  SomeFacts some;
  some.record.tls_version = "1.3";
  some.record.reason = "starting";

  std::vector<std::string> keys;
  for (const auto& [key, value] : json(options, some).items())
    if (!key.starts_with("request_")) keys.push_back(key);

  EXPECT_TRUE(std::ranges::is_sorted(keys)) << testing::PrintToString(keys);
}

TEST(AccessLine, LeavesOutWhatNobodyKnowsOfAnUnmatchedRequest) {
  SomeFacts some;
  some.record.router = some.record.service = some.record.server_url = some.record.server_address = {};
  some.record.origin_status = 0;
  some.record.status = 404;

  const Json out = json({}, some);

  for (const char* key : {"RouterName", "ServiceName", "ServiceURL", "ServiceAddr", "OriginStatus",
                          "OriginDuration", "OriginContentSize", "GzipRatio"})
    EXPECT_FALSE(out.contains(key)) << key;
  EXPECT_EQ(out["Overhead"], out["Duration"]);
}

TEST(AccessLine, NamesAServiceOnlyWhereTheRequestReachedIt) {
  SomeFacts some;
  some.record.reached_service = false;

  const Json out = json({}, some);

  EXPECT_EQ(out["RouterName"], "shop@docker");
  EXPECT_FALSE(out.contains("ServiceName"));
}

TEST(AccessLine, SaysTheReasonOfItsOwnAnswers) {
  SomeFacts some;
  some.record.reason = "stopped";

  EXPECT_EQ(json({}, some)["Reason"], "stopped");
}

TEST(AccessLine, SaysWhatExactlyWentWrongBehindTheReason) {
  SomeFacts some;
  some.record.cause = Error{502, Fault::Upstream, true, "connect 172.17.0.2:80: Connection refused"};

  EXPECT_EQ(json({}, some)["Reason"], "connect 172.17.0.2:80: Connection refused");
  some.record.reason = "unreachable";
  EXPECT_EQ(json({}, some)["Reason"], "unreachable: connect 172.17.0.2:80: Connection refused");
}

TEST(AccessLine, TakesTheClientHostFromXForwardedFor) {
  SomeFacts some;
  some.request.add("X-Forwarded-For", "198.51.100.1, 10.0.0.1");

  EXPECT_EQ(json({}, some)["ClientHost"], "198.51.100.1, 10.0.0.1");

  some.record.client_host = "203.0.113.9";
  EXPECT_EQ(json({}, some)["ClientHost"], "203.0.113.9") << "a middleware told servers something else";
}

TEST(AccessLine, LogsThePathOfAnAbsoluteTarget) {
  SomeFacts some;
  some.record.target = "http://shop.example.com/a?b";

  EXPECT_EQ(json({}, some)["RequestPath"], "/a?b");
}

TEST(AccessLine, SplitsIpv6Hosts) {
  SomeFacts some;
  some.record.authority = "[2001:db8::1]";

  const Json out = json({}, some);

  EXPECT_EQ(out["RequestHost"], "[2001:db8::1]");
  EXPECT_EQ(out["RequestPort"], "-");

  some.record.authority = "[2001:db8::1]:8443";
  const Json with_port = json({}, some);

  EXPECT_EQ(with_port["RequestHost"], "2001:db8::1");
  EXPECT_EQ(with_port["RequestPort"], "8443");
}

TEST(AccessLine, SurvivesBytesThatAreNoUtf8) {
  SomeFacts some;
  some.record.target = "/\xff\"\x01";

  EXPECT_EQ(json({}, some)["RequestPath"], "/\xEF\xBF\xBD\"\x01");
}

TEST(AccessLine, KeepsAndDropsFieldsByNameWithoutCase) {
  model::AccessLog options;
  options.fields.default_mode = "drop";
  options.fields.names = {{"requestpath", "keep"}, {"ServiceURL", "drop"}};

  const Json out = json(options, SomeFacts());

  EXPECT_TRUE(out.contains("RequestPath"));
  EXPECT_EQ(out.size(), 4U) << "and level, msg, time: " << out.dump();
}

TEST(AccessLine, TellsNamesThatAreNoFields) {
  model::AccessLog options;
  options.fields.names = {{"requestpath", "drop"}, {"RequestPaht", "drop"}, {"secret", "drop"}};

  const std::vector<std::string> told = unknown_fields(options.fields);

  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0],
            "accessLog.fields.names: the access log has no field \"RequestPaht\"; did you mean RequestPath?");
  EXPECT_TRUE(told[1].contains("no field \"secret\"; there are ClientAddr, ")) << told[1];
}

TEST(AccessLine, TellsHeadersThatAreNamedInTheWrongPlaceOrAsInALine) {
  model::AccessLog options;
  options.fields.names = {{"Cookie-Jar", "drop"}, {"request_Cookie", "drop"}};
  options.fields.headers.names = {
      {"A b", "drop"}, {"User_Agent", "keep"}, {"request_Authorization", "redact"}};

  EXPECT_EQ(
      unknown_fields(options.fields),
      (std::vector<std::string>{
          R"(accessLog.fields.headers.names: "A b" is no header name)",
          R"(accessLog.fields.headers.names: no header is called "request_Authorization"; did you mean Authorization?)",
          R"(accessLog.fields.names: "Cookie-Jar" is a header; did you mean accessLog.fields.headers.names.Cookie-Jar?)",
          R"(accessLog.fields.names: "request_Cookie" is a header; did you mean accessLog.fields.headers.names.Cookie?)"}));
}

TEST(AccessLine, AnUnknownModeOfAFieldIsNone) {
  model::AccessLog options;
  options.fields.names = {{"RequestPath", "hide"}};
  EXPECT_TRUE(json(options, SomeFacts()).contains("RequestPath"));

  options.fields.default_mode = "drop";
  EXPECT_FALSE(json(options, SomeFacts()).contains("RequestPath"));
}

TEST(AccessLine, ARequestWithoutHostHasNoAddress) {
  SomeFacts some;
  some.record.authority = {};

  const Json made = json({}, some);

  for (const char* key : {"RequestAddr", "RequestHost", "RequestPort"})
    EXPECT_FALSE(made.contains(key)) << key;
}

TEST(AccessLine, DropsTheQueryWhenAskedTo) {
  model::AccessLog options;
  options.fields.query_parameters.default_mode = "drop";

  EXPECT_EQ(json(options, SomeFacts())["RequestPath"], "/cart");
}

TEST(AccessLine, WritesHeadersUnderTheirCanonicalNamesAndRedacts) {
  model::AccessLog options;
  options.fields.headers.default_mode = "keep";
  options.fields.headers.names = {{"Authorization", "redact"}, {"USER-AGENT", "drop"}};
  SomeFacts some;
  some.origin.add("server", "nginx");

  const Json out = json(options, some);

  EXPECT_EQ(out["request_X-Many"], "a,b");
  EXPECT_EQ(out["request_Authorization"], "REDACTED");
  EXPECT_FALSE(out.contains("request_User-Agent"));
  EXPECT_EQ(out["downstream_Content-Type"], "text/html");
  EXPECT_EQ(out["origin_Server"], "nginx");
}

TEST(AccessLine, KeepsWhatAnyFilterWants) {
  model::AccessLog options;
  options.filters.status_codes = {"404", "500-599"};
  options.filters.min_duration = std::chrono::seconds(1);
  const AccessLine filtered(options);
  Record fast;
  fast.status = 200;
  Record slow = fast;
  slow.ended = slow.begun + std::chrono::seconds(2);
  Record failed = fast;
  failed.status = 503;
  Record retried = fast;
  retried.retries = 1;

  EXPECT_FALSE(filtered.wanted(fast));
  EXPECT_TRUE(filtered.wanted(slow));
  EXPECT_TRUE(filtered.wanted(failed));
  EXPECT_FALSE(filtered.wanted(retried));
  options.filters.retry_attempts = true;
  EXPECT_TRUE(AccessLine(options).wanted(retried));
}

TEST(AccessLine, FiltersByRangesWithoutLimits) {
  const auto keeps = [](const char* range, int status) {
    model::AccessLog options;
    options.filters.status_codes = {range};
    Record record;
    record.status = status;
    return AccessLine(options).wanted(record);
  };

  for (const char* range : {"500-999", "100-5000", "503-504-303"}) EXPECT_TRUE(keeps(range, 503)) << range;
  EXPECT_FALSE(keeps("500-999", 404));
  EXPECT_FALSE(keeps("301-302-404", 404)) << "only two numbers count";
  EXPECT_FALSE(keeps("599-500", 503)) << "a filter that lets nothing through is one";
}

TEST(AccessLine, LeavesOutInternalRequestsAndThoseOfSilentRouters) {
  Record ping;
  ping.internal = true;
  Record silent;
  silent.log = false;
  model::AccessLog all;
  all.add_internals = true;

  EXPECT_FALSE(AccessLine({}).wanted(ping));
  EXPECT_TRUE(AccessLine(all).wanted(ping));
  EXPECT_FALSE(AccessLine(all).wanted(silent));
}

}  // namespace
}  // namespace fairlead::observe
