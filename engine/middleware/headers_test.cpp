#include "engine/middleware/headers.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

// A server that answers with these fields.
test::StubService server(std::vector<std::pair<std::string, std::string>> fields, int status = 200) {
  return test::StubService([=](exchange::Exchange& x) {
    exchange::Response response(x.arena());
    response.head.status = status;
    for (const auto& [name, value] : fields) response.head.fields.add(name, value);
    return response;
  });
}

TEST(Headers, SetsAndRemovesRequestHeaders) {
  const test::Made made("headers",
                        {{"customrequestheaders.x-tenant", "blue"}, {"customrequestheaders.Cookie", ""}});
  auto x = test::get("/");
  x.header("X_Tenant", "forged").header("x-tenant", "old").header("Cookie", "a=b");

  test::run(*made, x);

  ASSERT_EQ(x.request.fields.size(), 1u);
  EXPECT_EQ(x.request.fields.begin()->name, "X-Tenant");
  EXPECT_EQ(x.request.fields.begin()->value, "blue");
}

TEST(Headers, ChangesTheHostAndStopsXForwardedFor) {
  const test::Made made("headers", {{"customrequestheaders.Host", "Other.example:81"},
                                    {"customrequestheaders.X-Forwarded-For", ""}});
  auto x = test::get("/");
  x.header("X-Forwarded-For", "1.1.1.1");

  test::run(*made, x);

  EXPECT_EQ(x.request.authority, "Other.example:81");
  EXPECT_EQ(x.request.host, "other.example");
  EXPECT_FALSE(x.request.fields.has("X-Forwarded-For"));
  EXPECT_TRUE(x.null_forwarded_for);
  EXPECT_EQ(x.record.client_host, "1.1.1.1") << "the access log keeps it";
}

TEST(Headers, WithoutExpectNobodyWaitsForTheServerToContinue) {
  for (const auto& [value, waits] : {std::pair{"", false}, {"100-continue", true}}) {
    const test::Made made("headers", {{"customrequestheaders.Expect", value}});
    auto x = test::request("POST", "/");
    x.header("Expect", "100-continue");
    x.request.expects_continue = true;

    test::run(*made, x);

    EXPECT_EQ(x.request.expects_continue, waits);
  }
}

TEST(Headers, LeavesOutHeadersThatFrameTheMessage) {
  const test::Made made("headers", {{"customrequestheaders.Content_Length", "5"}});
  auto x = test::get("/");

  test::run(*made, x);

  EXPECT_TRUE(x.request.fields.empty());
  ASSERT_EQ(made.making.notices.size(), 1u);
  EXPECT_EQ(made.making.notices[0].path, "customRequestHeaders.Content_Length");
}

TEST(Headers, AppliesSecurityThenCustomThenCorsToResponses) {
  const test::Made made("headers", {{"framedeny", "true"},
                                    {"customresponseheaders.X-Frame-Options", "SAMEORIGIN"},
                                    {"customresponseheaders.Access-Control-Allow-Origin", "custom"},
                                    {"customresponseheaders.Server", ""},
                                    {"accesscontrolalloworiginlist", "https://a.example"}});
  auto x = test::get("/");
  x.header("Origin", "https://a.example");

  const auto response = test::run(*made, x, server({{"Server", "x"}, {"X-Frame-Options", "ALLOW"}}));

  EXPECT_EQ(response.head.fields.joined("X-Frame-Options"), "SAMEORIGIN");
  EXPECT_EQ(response.head.fields.joined("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_FALSE(response.head.fields.has("Server"));
}

TEST(Headers, LeavesASwitchOfProtocolsAlone) {
  const test::Made made("headers", {{"framedeny", "true"}, {"customresponseheaders.X-A", "b"}});
  auto x = test::get("/");

  EXPECT_TRUE(test::run(*made, x, server({}, 101)).head.fields.empty());
}

TEST(Headers, SendsEachSecurityHeaderAsTraefikDoes) {
  const test::Made made("headers", {{"stsseconds", "31536000"},
                                    {"stsincludesubdomains", "true"},
                                    {"stspreload", "true"},
                                    {"contenttypenosniff", "true"},
                                    {"browserxssfilter", "true"},
                                    {"framedeny", "true"},
                                    {"customframeoptionsvalue", "SAMEORIGIN"},
                                    {"publickey", "pin"},
                                    {"referrerpolicy", "no-referrer"},
                                    {"permissionspolicy", "camera=()"},
                                    {"contentsecuritypolicy", "default-src 'self'"}});
  auto x = test::get("/");
  x.over_tls();

  const auto response = test::run(*made, x);

  const http::Fields& fields = response.head.fields;
  EXPECT_EQ(fields.get("Strict-Transport-Security"), "max-age=31536000; includeSubdomains; preload");
  EXPECT_EQ(fields.get("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(fields.get("X-XSS-Protection"), "1; mode=block");
  EXPECT_EQ(fields.get("X-Frame-Options"), "SAMEORIGIN");
  EXPECT_EQ(fields.get("Public-Key-Pins"), "pin");
  EXPECT_EQ(fields.get("Referrer-Policy"), "no-referrer");
  EXPECT_EQ(fields.get("Permissions-Policy"), "camera=()");
  EXPECT_EQ(fields.get("Content-Security-Policy"), "default-src 'self'");
}

TEST(Headers, SendsStrictTransportOnlyOverTlsOrWhenForcedOrProxied) {
  const test::Made usual("headers", {{"stsseconds", "10"}, {"sslproxyheaders.X-Forwarded-Proto", "https"}});
  const test::Made forced("headers", {{"stsseconds", "10"}, {"forcestsheader", "true"}});
  const test::Made developing("headers",
                              {{"stsseconds", "10"}, {"forcestsheader", "true"}, {"isdevelopment", "true"}});
  auto plain = test::get("/");
  auto proxied = test::get("/");
  proxied.header("X-Forwarded-Proto", "https");

  EXPECT_FALSE(test::run(*usual, plain).head.fields.has("Strict-Transport-Security"));
  EXPECT_TRUE(test::run(*usual, proxied).head.fields.has("Strict-Transport-Security"));
  EXPECT_TRUE(test::run(*forced, plain).head.fields.has("Strict-Transport-Security"));
  EXPECT_FALSE(test::run(*developing, plain).head.fields.has("Strict-Transport-Security"));
}

TEST(Headers, MakesAFreshNonceForEachResponse) {
  const test::Made made("headers", {{"contentsecuritypolicy", "script-src $NONCE; style-src $NONCE"}});
  auto first = test::get("/");
  auto second = test::get("/");

  const std::string a(test::run(*made, first).head.fields.get("Content-Security-Policy"));
  const std::string b(test::run(*made, second).head.fields.get("Content-Security-Policy"));

  EXPECT_TRUE(a.starts_with("script-src 'nonce-"));
  EXPECT_EQ(a.size(), std::string_view("script-src 'nonce-'; style-src 'nonce-'").size() + 2 * 22);
  EXPECT_NE(a, b);
}

TEST(Headers, AnswersPreflightsWithoutCallingTheServer) {
  const test::Made made("headers", {{"accesscontrolallowmethods", "GET,PUT"},
                                    {"accesscontrolallowheaders", "X-A, X-B"},
                                    {"accesscontrolalloworiginlist", "*"},
                                    {"accesscontrolexposeheaders", "X-C"},
                                    {"accesscontrolmaxage", "0"}});
  auto x = test::request("OPTIONS", "/");
  x.header("Origin", "https://a.example").header("Access-Control-Request-Method", "PUT");
  const test::StubService service;

  const auto response = test::run(*made, x, service);

  EXPECT_EQ(service.calls, 0);
  EXPECT_EQ(response.head.status, 200);
  EXPECT_EQ(response.head.content_length, 0u);
  EXPECT_EQ(response.head.fields.get("Access-Control-Allow-Methods"), "GET,PUT");
  EXPECT_EQ(response.head.fields.get("Access-Control-Allow-Headers"), "X-A,X-B");
  EXPECT_EQ(response.head.fields.get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(response.head.fields.get("Access-Control-Max-Age"), "0");
  EXPECT_EQ(response.head.fields.get("Access-Control-Expose-Headers"), "X-C");
}

TEST(Headers, PassesPreflightsWithoutCorsOptions) {
  const test::Made made("headers", {{"framedeny", "true"}});
  auto x = test::request("OPTIONS", "/");
  x.header("Origin", "https://a.example").header("Access-Control-Request-Method", "PUT");
  const test::StubService service;

  test::run(*made, x, service);

  EXPECT_EQ(service.calls, 1);
}

TEST(Headers, EchoesInsteadOfAStarWhenCredentialsAreAllowed) {
  const test::Made made("headers", {{"accesscontrolallowcredentials", "true"},
                                    {"accesscontrolallowmethods", "*"},
                                    {"accesscontrolallowheaders", "*"},
                                    {"accesscontrolexposeheaders", "*"},
                                    {"accesscontrolalloworiginlist", "*"}});
  auto preflight = test::request("OPTIONS", "/");
  preflight.header("Origin", "https://a.example")
      .header("Access-Control-Request-Method", "PUT")
      .header("Access-Control-Request-Headers", "x-a, x-b");
  auto plain = test::get("/");
  plain.header("Origin", "https://a.example");

  const auto asked = test::run(*made, preflight);
  const auto answered = test::run(*made, plain);

  EXPECT_EQ(asked.head.fields.get("Access-Control-Allow-Methods"), "PUT");
  EXPECT_EQ(asked.head.fields.get("Access-Control-Allow-Headers"), "x-a, x-b");
  EXPECT_EQ(asked.head.fields.get("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(answered.head.fields.get("Access-Control-Allow-Credentials"), "true");
  EXPECT_FALSE(answered.head.fields.has("Access-Control-Expose-Headers"));
}

TEST(Headers, MatchesOriginsByPatternAndVariesByOrigin) {
  const test::Made made("headers", {{"accesscontrolalloworiginlistregex", "^https://.*\\.example$"},
                                    {"addvaryheader", "true"}});
  auto good = test::get("/");
  good.header("Origin", "https://a.example");
  auto bad = test::get("/");
  bad.header("Origin", "https://evil.test");

  const auto allowed = test::run(*made, good, server({{"Vary", "Accept-Encoding"}}));
  const auto refused = test::run(*made, bad);

  EXPECT_EQ(allowed.head.fields.get("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(allowed.head.fields.get("Vary"), "Accept-Encoding,Origin");
  EXPECT_FALSE(refused.head.fields.has("Access-Control-Allow-Origin"));
  EXPECT_EQ(refused.head.fields.get("Vary"), "Origin");
}

TEST(Headers, Answers500ToHostsThatAreNotAllowed) {
  const test::Made made("headers", {{"allowedhosts", "a.example"},
                                    {"hostsproxyheaders", "X-Forwarded-Host"},
                                    {"customresponseheaders.X-A", "b"}});
  auto bad = test::get("/");
  auto good = test::get("/");
  good.header("X-Forwarded-Host", "A.example");

  const auto refusal = test::run(*made, bad);

  EXPECT_EQ(refusal.head.status, 500);
  EXPECT_EQ(test::text_of(refusal.body), "Bad Host\n");
  EXPECT_EQ(refusal.head.fields.get("X-A"), "b");
  EXPECT_EQ(test::run(*made, good).head.status, 200);
}

TEST(Headers, RunsNoPatternOverWhatIsTooLongForAnOrigin) {
  const test::Made made("headers", {{"accesscontrolalloworiginlistregex", "^https://a+$"}});
  const auto allowed = [&](std::size_t length) {
    auto x = test::get("/");
    const std::string origin = "https://" + std::string(length - 8, 'a');
    x.header("Origin", origin);
    return test::run(*made, x).head.fields.get("Access-Control-Allow-Origin") == origin;
  };

  EXPECT_TRUE(allowed(512));
  EXPECT_FALSE(allowed(513));
}

TEST(Headers, TakesBlocksOfTextAsOneLine) {
  const test::Made made("headers", {{"contentsecuritypolicy", "default-src 'self';\nscript-src 'none';\n"},
                                    {"customresponseheaders.X-A", "b\nc\n"}});

  auto x = test::get("/");
  const auto answered = test::run(*made, x);

  EXPECT_EQ(answered.head.fields.get("Content-Security-Policy"), "default-src 'self'; script-src 'none';");
  EXPECT_EQ(answered.head.fields.get("X-A"), "b c");
  EXPECT_EQ(test::Made("headers", {{"customresponseheaders.X-A", "b\r\nc"}}).error(),
            "customResponseHeaders.X-A: has bytes that a header cannot carry");
  EXPECT_EQ(test::Made("headers", {{"customrequestheaders.X-A", "b\nc"}}).error(),
            "customRequestHeaders.X-A: has bytes that a header cannot carry");
}

TEST(Headers, AcceptsOldOptionsWithAWarning) {
  const test::Made made("headers", {{"sslredirect", "true"}, {"featurepolicy", "x"}});

  EXPECT_TRUE(made) << made.error();
  EXPECT_EQ(made.making.notices.size(), 2u);
}

TEST(Headers, IsBrokenByBadOptions) {
  EXPECT_EQ(test::Made("headers", {}).error(), ": needs at least one option");
  EXPECT_EQ(test::Made("headers", {{"customrequestheaders.a b", "c"}}).error(),
            "customRequestHeaders.a b: is no name of a header");
  EXPECT_EQ(test::Made("headers", {{"customrequestheaders.Host", "a/b"}}).error(),
            "customRequestHeaders.Host: \"a/b\" is no host");
}

}  // namespace
}  // namespace fairlead::middleware
