#include "engine/routing/http_router.h"

#include "engine/routing/rule_parser.h"

#include <gtest/gtest.h>

namespace fairlead::routing {
namespace {

// A canonical request to ask rules about.
struct Request {
  Arena arena;
  http::RequestHead head{arena};
  Scratch scratch;
  ClientAddress client = ClientAddress::v4({192, 0, 2, 7});

  Request(std::string host, std::string path, std::string query = {}) {
    head.method = "GET";
    head.host = std::move(host);
    head.path = std::move(path);
    head.query = std::move(query);
  }
  Request& method(std::string_view method) {
    head.method = method;
    return *this;
  }
  Request& field(std::string_view name, std::string_view value) {
    head.fields.append(name, value, http::known_name(name));
    return *this;
  }
  Request& from(std::string_view address) {
    client = ClientAddress::parse(address).value();
    return *this;
  }
  MatchContext context() { return {client, scratch}; }
};

// Routers numbered in the order given, with the default priority of their rule.
HttpRouter router_of(const std::vector<std::string>& rules, Syntax syntax = Syntax::V3) {
  HttpRouter::Builder builder;
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const auto rule = parse_rule(rules[i], Protocol::Http, syntax);
    if (!rule)
      ADD_FAILURE() << rules[i] << ": " << rule.error().what;
    else
      builder.add(*rule, {.priority = rule->default_priority(), .precedence = 0, .order = i}, i);
  }
  return std::move(builder).build();
}

int winner(const HttpRouter& router, Request& request) {
  const auto index = router.match(request.head, request.context());
  return index ? static_cast<int>(*index) : -1;
}

bool holds(std::string_view rule, Request& request, Syntax syntax = Syntax::V3) {
  return winner(router_of({std::string(rule)}, syntax), request) == 0;
}
bool holds(std::string_view rule, Request&& request, Syntax syntax = Syntax::V3) {
  return holds(rule, request, syntax);
}

TEST(HostMatcher, ComparesCanonicalHosts) {
  EXPECT_TRUE(holds("Host(`A.Example.com`)", {"a.example.com", "/"}));
  EXPECT_TRUE(holds("Host(`a.example.com.`)", {"a.example.com", "/"}));
  EXPECT_TRUE(holds("Host(`[::1]`)", {"::1", "/"}));
  EXPECT_FALSE(holds("Host(`a.example.com`)", {"b.a.example.com", "/"}));
  EXPECT_FALSE(holds("Host(`a.example.com`)", {"", "/"}));
}

TEST(HostMatcher, TakesExactlyOneLabelForAStar) {
  EXPECT_TRUE(holds("Host(`*.example.com`)", {"a.example.com", "/"}));
  EXPECT_FALSE(holds("Host(`*.example.com`)", {"example.com", "/"}));
  EXPECT_FALSE(holds("Host(`*.example.com`)", {"a.b.example.com", "/"}));
  EXPECT_FALSE(holds("Host(`*.example.com`)", {".example.com", "/"}));
  EXPECT_FALSE(holds("Host(`*.`)", {"localhost", "/"}));
}

TEST(HostMatcher, TakesEveryHostButNoneForAStarAlone) {
  EXPECT_TRUE(holds("Host(`*`)", {"anything", "/"}));
  EXPECT_FALSE(holds("Host(`*`)", {"", "/"}));
  EXPECT_TRUE(holds("!Host(`*`)", {"", "/"}));
}

TEST(HostRegexpMatcher, SearchesTheHost) {
  EXPECT_TRUE(holds("HostRegexp(`^[a-z]+\\.example\\.com$`)", {"shop.example.com", "/"}));
  EXPECT_TRUE(holds("HostRegexp(`example`)", {"shop.example.com", "/"}));
  EXPECT_FALSE(holds("HostRegexp(`^example`)", {"shop.example.com", "/"}));
}

TEST(PathMatcher, IsEqualToTheMatchingPath) {
  EXPECT_TRUE(holds("Path(`/a/b`)", {"h", "/a/b"}));
  EXPECT_FALSE(holds("Path(`/a/b`)", {"h", "/a/b/"}));
  EXPECT_FALSE(holds("Path(`/a/b`)", {"h", "/a%2Fb"}));
  EXPECT_TRUE(holds("Path(`/a%2Fb`)", {"h", "/a%2Fb"}));
  EXPECT_TRUE(holds("Path(`/a b`)", {"h", "/a%20b"}));
}

TEST(PathPrefixMatcher, IsAPlainStringPrefix) {
  EXPECT_TRUE(holds("PathPrefix(`/api`)", {"h", "/apix"}));
  EXPECT_TRUE(holds("PathPrefix(`/caf\u00e9`)", {"h", "/caf%C3%A9/1"}));
  EXPECT_FALSE(holds("PathPrefix(`/api/`)", {"h", "/api"}));
}

TEST(PathRegexpMatcher, SearchesTheMatchingPath) {
  EXPECT_TRUE(holds("PathRegexp(`^/(?<id>[0-9]+)$`)", {"h", "/42"}));
  EXPECT_TRUE(holds("PathRegexp(`b c`)", {"h", "/a/b%20c"}));
  EXPECT_FALSE(holds("PathRegexp(`^/a/b`)", {"h", "/a%2Fb"}));
}

TEST(PathRegexpMatcher, IsNotPassedByWithBytesThatAreNoText) {
  EXPECT_TRUE(holds("PathRegexp(`^/admin/.*$`)", {"h", "/admin/%FF"}));
  EXPECT_FALSE(holds("!PathRegexp(`^/admin(/.*)?$`)", {"h", "/admin/%C3%28"}));
}

TEST(MethodMatcher, UppersItsArgumentAndComparesExactly) {
  EXPECT_TRUE(holds("Method(`post`)", Request("h", "/").method("POST")));
  EXPECT_FALSE(holds("Method(`post`)", Request("h", "/").method("post")));
}

TEST(HeaderMatcher, WantsAnyLineEqual) {
  const std::string_view rule = "Header(`x-team`, `red`)";

  EXPECT_TRUE(holds(rule, Request("h", "/").field("X-Team", "blue").field("X-TEAM", "red")));
  EXPECT_FALSE(holds(rule, Request("h", "/").field("X-Team", "blue, red")));
  EXPECT_FALSE(holds(rule, Request("h", "/").field("X-Team", "Red")));
  EXPECT_FALSE(holds("Header(`Host`, `h`)", Request("h", "/").field("Host", "h")));
}

TEST(HeaderRegexpMatcher, WantsAnyLineThatMatches) {
  const std::string_view rule = "HeaderRegexp(`Accept`, `json$`)";

  EXPECT_TRUE(holds(rule, Request("h", "/").field("accept", "a").field("Accept", "application/json")));
  EXPECT_FALSE(holds(rule, Request("h", "/").field("Accept", "json;q=1")));
  EXPECT_FALSE(holds(rule, Request("h", "/")));
}

TEST(QueryMatcher, WantsAnyValueEqual) {
  EXPECT_TRUE(holds("Query(`k`, `v w`)", {"h", "/", "k=x&k=v+w"}));
  EXPECT_TRUE(holds("Query(`k`, `v w`)", {"h", "/", "%6b=v%20w"}));
  EXPECT_FALSE(holds("Query(`k`, `v`)", {"h", "/", "K=v"}));
}

TEST(QueryMatcher, WithOneArgumentWantsTheKeyWithAnEmptyValue) {
  EXPECT_TRUE(holds("Query(`debug`)", {"h", "/", "a=1&debug"}));
  EXPECT_TRUE(holds("QueryRegexp(`debug`)", {"h", "/", "debug="}));
  EXPECT_FALSE(holds("Query(`debug`)", {"h", "/", "debug=1"}));
  EXPECT_FALSE(holds("Query(`debug`)", {"h", "/"}));
}

TEST(QueryRegexpMatcher, WantsAnyValueThatMatches) {
  EXPECT_TRUE(holds("QueryRegexp(`k`, `^[0-9]+$`)", {"h", "/", "k=a&k=7"}));
  EXPECT_FALSE(holds("QueryRegexp(`k`, `^[0-9]+$`)", {"h", "/", "k=a"}));
}

TEST(ClientIpMatcher, LooksAtTheConnectionOnly) {
  EXPECT_TRUE(holds("ClientIP(`192.0.2.0/24`)", {"h", "/"}));
  EXPECT_TRUE(holds("ClientIP(`192.0.2.0/24`)", Request("h", "/").from("::ffff:192.0.2.9")));
  EXPECT_FALSE(holds("ClientIP(`10.0.0.1`)", Request("h", "/").field("X-Forwarded-For", "10.0.0.1")));
}

TEST(RulesV2, MatchAsTheyDidThere) {
  EXPECT_TRUE(holds("Host(`a`, `b`) && Path(`/u/{id:[0-9]+}`, `/x`)", {"b", "/u/7"}, Syntax::V2));
  EXPECT_FALSE(holds("Host(`a`, `b`) && Path(`/u/{id:[0-9]+}`)", {"b", "/u/7/"}, Syntax::V2));
  EXPECT_TRUE(holds("PathPrefix(`/u/{id}/`)", {"h", "/u/7/x"}, Syntax::V2));
  EXPECT_TRUE(holds("HostRegexp(`{sub:[a-z]+}.example.com`)", {"shop.example.com", "/"}, Syntax::V2));
  EXPECT_FALSE(holds("HostRegexp(`{sub:[a-z]+}.example.com`)", {"a.shop.example.com", "/"}, Syntax::V2));
  EXPECT_TRUE(holds("Query(`k=`)", {"h", "/", "k=anything"}, Syntax::V2));
  EXPECT_TRUE(holds("Query(`a=1`, `b=2`)", {"h", "/", "b=2&a=1"}, Syntax::V2));
  EXPECT_FALSE(holds("Query(`a=1`, `b=2`)", {"h", "/", "b=2"}, Syntax::V2));
  EXPECT_TRUE(holds("!Query(`a=1`, `b=2`)", {"h", "/", "b=2"}, Syntax::V2));
  EXPECT_FALSE(holds("Headers(`A`, `1`, `B`, `2`)", Request("h", "/").field("B", "2"), Syntax::V2));
}

TEST(RuleLogic, EvaluatesOperators) {
  const std::string_view rule = "!(Host(`a`) && (Path(`/x`) || Method(`POST`))) || Query(`force`)";

  EXPECT_FALSE(holds(rule, {"a", "/x"}));
  EXPECT_FALSE(holds(rule, Request("a", "/y").method("POST")));
  EXPECT_TRUE(holds(rule, {"a", "/y"}));
  EXPECT_TRUE(holds(rule, {"b", "/x"}));
  EXPECT_TRUE(holds(rule, {"a", "/x", "force"}));
}

TEST(HttpRouter, MatchesNothingWithoutRules) {
  Request request("a", "/");

  EXPECT_EQ(winner(HttpRouter(), request), -1);
  EXPECT_EQ(winner(router_of({}), request), -1);
}

TEST(HttpRouter, PrefersTheHigherPriority) {
  const auto router =
      router_of({"Host(`a`)", "Host(`a`) && PathPrefix(`/`)", "PathPrefix(`/`) && Method(`GET`)"});
  Request request("a", "/");
  Request elsewhere("b", "/");

  EXPECT_EQ(winner(router, request), 2) << "a longer rule without a host wins over rules of the host";
  EXPECT_EQ(winner(router, elsewhere), 2);
}

TEST(HttpRouter, PrefersPrecedenceThenOrderWhenPrioritiesAreEqual) {
  const auto rule = parse_rule("Host(`a`)", Protocol::Http).value();
  HttpRouter::Builder builder;
  builder.add(rule, {.priority = 5, .precedence = 1, .order = 0}, 10);
  builder.add(rule, {.priority = 5, .precedence = 0, .order = 9}, 11);
  builder.add(rule, {.priority = 5, .precedence = 0, .order = 8}, 12);
  builder.add(rule, {.priority = -1, .precedence = 0, .order = 0}, 13);
  const auto router = std::move(builder).build();
  Request request("a", "/");

  EXPECT_EQ(winner(router, request), 12);
}

TEST(HttpRouter, MergesExactWildcardAndHostlessRulesByPriority) {
  HttpRouter::Builder builder;
  const auto add = [&](std::string_view text, std::int64_t priority, std::uint32_t index) {
    builder.add(parse_rule(text, Protocol::Http).value(), {.priority = priority, .precedence = 0, .order = 0},
                index);
  };
  add("Host(`a.example.com`) && Path(`/1`)", 10, 0);
  add("Host(`*.example.com`) && PathPrefix(`/1`)", 20, 1);
  add("PathPrefix(`/2`)", 15, 2);
  add("Host(`a.example.com`)", 5, 3);
  const auto router = std::move(builder).build();
  Request first("a.example.com", "/1");
  Request second("a.example.com", "/2");
  Request other("a.example.com", "/3");

  EXPECT_EQ(winner(router, first), 1);
  EXPECT_EQ(winner(router, second), 2);
  EXPECT_EQ(winner(router, other), 3);
}

TEST(HttpRouter, FindsAHostInsideAnyCombination) {
  const auto router = router_of({
      "Path(`/x`) && (Host(`a`) || Host(`*.b`))",  // every alternative names a host
      "Host(`c`) || Path(`/y`)",                   // one does not: it may match any host
      "!Host(`d`) && Path(`/z`)",
  });
  Request a("a", "/x");
  Request b("1.b", "/x");
  Request c("c", "/");
  Request y("anything", "/y");
  Request z("e", "/z");
  Request d("d", "/z");

  EXPECT_EQ(winner(router, a), 0);
  EXPECT_EQ(winner(router, b), 0);
  EXPECT_EQ(winner(router, c), 1);
  EXPECT_EQ(winner(router, y), 1);
  EXPECT_EQ(winner(router, z), 2);
  EXPECT_EQ(winner(router, d), -1);
}

// Hosts with many path rules take the path index; it must decide as a plain scan does.
class HttpRouterWithManyPaths : public testing::TestWithParam<const char*> {};

TEST_P(HttpRouterWithManyPaths, DecidesAsAScanInOrderWould) {
  const std::string host = GetParam();
  const std::string with = host.empty() ? "" : "Host(`" + host + "`) && ";
  std::vector<std::string> rules;
  for (int i = 0; i < 40; ++i) {
    rules.push_back(with + "PathPrefix(`/p" + std::to_string(i) + "`)");
    rules.push_back(with + "Path(`/p" + std::to_string(i) + "/exact`)");
  }
  rules.push_back(with + "PathPrefix(`/p1/deep/er`)");
  rules.push_back(with + "PathRegexp(`^/p2/[a-z]+/regexp`)");
  rules.push_back(with + "(Path(`/one`) || PathPrefix(`/two`)) && Method(`GET`)");
  rules.push_back(with + "!Path(`/p3/exact`) && PathPrefix(`/p3/`)");
  rules.push_back(with + "PathPrefix(`/`)");
  const auto router = router_of(rules);

  for (const char* path :
       {"/", "/p1", "/p1/exact", "/p11", "/p1/deep/er/x", "/p2/abc/regexp", "/p39/exact", "/one", "/two/x",
        "/one/x", "/p3/exact", "/p3/other", "/p%31/exact", "/p1%2Fexact", "*", ""}) {
    Request request(host.empty() ? "any" : "x.example.com", path);
    int expected = -1;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < rules.size(); ++i)
      if (holds(rules[i], request) && rules[i].size() > longest) {
        longest = rules[i].size();
        expected = static_cast<int>(i);
      }

    EXPECT_EQ(winner(router, request), expected) << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, HttpRouterWithManyPaths,
                         testing::Values("x.example.com", "*.example.com", ""));

TEST(HttpRouter, TellsAHundredThousandHostsApart) {
  HttpRouter::Builder builder;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const auto rule = parse_rule("Host(`h" + std::to_string(i) + ".example.com`)", Protocol::Http).value();
    builder.add(rule, {.priority = rule.default_priority(), .precedence = 0, .order = i}, i);
  }
  const auto router = std::move(builder).build();
  Request request("h71234.example.com", "/");
  Request unknown("x.example.com", "/");

  EXPECT_EQ(winner(router, request), 71'234);
  EXPECT_EQ(winner(router, unknown), -1);
  EXPECT_LT(router.held_bytes(), 12U << 20);
}

TEST(HttpRouterTrace, NamesTheFirstClauseThatFailedAndWhatWasSeen) {
  const auto router =
      router_of({"Host(`a`) && PathPrefix(`/api`) && Method(`POST`)", "Host(`b`)", "Path(`/x`)"});
  Request request("a", "/api/1");

  const Trace trace = router.trace(request.head, request.context(), TraceScope::All);

  EXPECT_FALSE(trace.matched);
  ASSERT_EQ(trace.lines.size(), 3U);
  EXPECT_EQ(trace.lines[0].index, 0U);
  EXPECT_EQ(trace.lines[0].clause, "Method(`POST`)");
  EXPECT_EQ(trace.lines[0].seen, "\"GET\"");
  EXPECT_EQ(trace.lines[1].clause, "Path(`/x`)");
  EXPECT_EQ(trace.lines[1].seen, "\"/api/1\"");
  EXPECT_EQ(trace.lines[2].clause, "Host(`b`)");
  EXPECT_EQ(trace.lines[2].seen, "\"a\"");
}

TEST(HttpRouterTrace, EndsWithTheRouterThatMatched) {
  const auto router = router_of({"Host(`a`)", "Host(`a`) && Path(`/x`)", "Host(`b`) && Path(`/long`)"});
  Request request("a", "/");

  const Trace trace = router.trace(request.head, request.context(), TraceScope::All);

  EXPECT_EQ(trace.matched, 0U);
  ASSERT_EQ(trace.lines.size(), 3U);
  EXPECT_TRUE(trace.lines[2].matched);
  EXPECT_EQ(trace.lines[2].clause, "");
}

TEST(HttpRouterTrace, OffersOnlyTheCandidatesOfTheHostWhenAsked) {
  const auto router = router_of({"Host(`a`) && Path(`/x`)", "Host(`b`)", "Path(`/y`)"});
  Request request("a", "/");

  const Trace trace = router.trace(request.head, request.context(), TraceScope::Candidates);

  ASSERT_EQ(trace.lines.size(), 2U);
  EXPECT_EQ(trace.lines[0].index, 0U);
  EXPECT_EQ(trace.lines[1].index, 2U);
}

TEST(HttpRouterTrace, ForgetsAFailureThatAnAlternativeMadeGood) {
  const auto router = router_of({"(Host(`a`) || Host(`b`)) && !Path(`/x`)"});
  Request request("b", "/x");

  const Trace trace = router.trace(request.head, request.context(), TraceScope::All);

  EXPECT_EQ(trace.lines.at(0).clause, "!Path(`/x`)");
}

TEST(HttpRouterTrace, SaysWhatIsAbsentAndHidesSecrets) {
  const auto router = router_of({"Header(`X-A`, `1`)", "Header(`Authorization`, `Basic abc`)",
                                 "Query(`k`, `v`)", "ClientIP(`10.0.0.1`)", "HeaderRegexp(`X-B`, `^q`)"});
  Request request("a", "/", "k=1&k=2");
  request.field("Authorization", "Basic secret").field("X-B", "p");

  const Trace trace = router.trace(request.head, request.context(), TraceScope::All);

  std::string seen;
  for (const TraceLine& line : trace.lines) seen += line.seen + "; ";
  EXPECT_EQ(seen, "a value that is not shown; \"p\"; \"192.0.2.7\"; none; \"1\", \"2\"; ");
}

TEST(HttpRouterTrace, IsCutButShowsTheWinner) {
  std::vector<std::string> rules(50, "Host(`other.example.com`)");
  rules.emplace_back("Host(`a`)");
  const auto router = router_of(rules);
  Request request("a", "/");

  const Trace trace = router.trace(request.head, request.context(), TraceScope::All, 3);

  EXPECT_TRUE(trace.cut);
  ASSERT_EQ(trace.lines.size(), 4U);
  EXPECT_TRUE(trace.lines[3].matched);
}

}  // namespace
}  // namespace fairlead::routing
