#include "engine/routing/rule_parser.h"

#include "engine/routing/regex.h"

#include <gtest/gtest.h>

namespace fairlead::routing {
namespace {

// The tree as text: All(a, Any(b, c)).
std::string shape(const Rule& rule, std::size_t at = 0) {
  const Node& node = rule.nodes[at];
  if (node.op == Node::Op::Test) return clause_text(node.matcher, node.negated, node.first, node.second);
  std::string out;
  for (std::size_t child = at + 1; child < at + node.size; child += rule.nodes[child].size)
    out += (out.empty() ? "" : ", ") + shape(rule, child);
  return (node.op == Node::Op::All ? "All(" : "Any(") + out + ")";
}

std::string parsed(std::string_view text, Protocol protocol = Protocol::Http, Syntax syntax = Syntax::V3) {
  const auto rule = parse_rule(text, protocol, syntax);
  return rule ? shape(*rule) : "error: " + rule.error().what;
}
std::string parsed_v2(std::string_view text) { return parsed(text, Protocol::Http, Syntax::V2); }
std::string parsed_tcp(std::string_view text) { return parsed(text, Protocol::Tcp); }

std::string wrong(std::string_view text, Protocol protocol = Protocol::Http, Syntax syntax = Syntax::V3) {
  const auto rule = parse_rule(text, protocol, syntax);
  return rule ? "parsed: " + shape(*rule) : rule.error().what;
}

std::string notices(std::string_view text) {
  std::string out;
  for (const auto& notice : parse_rule(text, Protocol::Http).value().notices) out += notice + "\n";
  return out;
}

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(RuleParser, BindsAndStrongerThanOr) {
  EXPECT_EQ(parsed("Host(`a`) && Path(`/x`) || Host(`b`) && Path(`/y`)"),
            "Any(All(Host(`a`), Path(`/x`)), All(Host(`b`), Path(`/y`)))");
}

TEST(RuleParser, FollowsParentheses) {
  EXPECT_EQ(parsed("Host(`a`) && (Path(`/x`) || Path(`/y`))"), "All(Host(`a`), Any(Path(`/x`), Path(`/y`)))");
  EXPECT_EQ(parsed("((Host(`a`)))"), "Host(`a`)");
  EXPECT_EQ(parsed("(Host(`a`)||Host(`b`))&&(Path(`/x`)||Path(`/y`))"),
            "All(Any(Host(`a`), Host(`b`)), Any(Path(`/x`), Path(`/y`)))");
}

TEST(RuleParser, MovesNotInwardByDeMorgan) {
  EXPECT_EQ(parsed("!Host(`a`)"), "!Host(`a`)");
  EXPECT_EQ(parsed("!(Host(`a`) && Path(`/x`))"), "Any(!Host(`a`), !Path(`/x`))");
  EXPECT_EQ(parsed("!(Host(`a`) || !Path(`/x`))"), "All(!Host(`a`), Path(`/x`))");
  EXPECT_EQ(parsed("!!Host(`a`)"), "Host(`a`)");
  EXPECT_EQ(parsed("!(!(Host(`a`) || Host(`b`)) && Path(`/x`))"),
            "Any(Any(Host(`a`), Host(`b`)), !Path(`/x`))");
}

TEST(RuleParser, AcceptsTheFourSpellingsOfAMatcher) {
  for (const char* name : {"PathPrefix", "pathprefix", "PATHPREFIX", "Pathprefix"})
    EXPECT_EQ(parsed(std::string(name) + "(`/x`)"), "PathPrefix(`/x`)");
  EXPECT_HAS(wrong("pathPrefix(`/x`)"), "did you mean PathPrefix?");
}

TEST(RuleParser, ReadsGoStringLiterals) {
  EXPECT_EQ(parsed(R"(Path("/a\"b"))"), R"(Path(`/a"b`))");
  EXPECT_EQ(parsed(R"(PathRegexp(`^/\d+$`))"), R"(PathRegexp(`^/\d+$`))");
  EXPECT_EQ(parsed(R"(Path("/\x41\102\u00e9\U0001F600\t"))"), "Path(`/AB\u00e9\U0001F600\t`)");
  EXPECT_EQ(parsed("Path(`/a\r\nb`)"), "Path(`/a\nb`)");
}

TEST(RuleParser, RefusesBrokenLiterals) {
  EXPECT_HAS(wrong(R"(Path("/\d"))"), "column 8: unknown escape");
  EXPECT_HAS(wrong(R"(Path("/\'"))"), "unknown escape");
  EXPECT_HAS(wrong(R"(Path("/\400"))"), "unknown escape");
  EXPECT_HAS(wrong(R"(Path("/\ud800"))"), "unknown escape");
  EXPECT_HAS(wrong("Path(\"/a\nb\")"), "column 6: this quotation mark is never closed");
  EXPECT_HAS(wrong("Path(`/a)"), "column 6: this backtick is never closed");
}

TEST(RuleParser, TakesWhiteSpaceAndLinesAsTheyCome) {
  EXPECT_EQ(parsed(" Host ( `a` )\n\t&& Path(`/x`,)\n"), "All(Host(`a`), Path(`/x`))");
}

TEST(RuleParser, WritesHostsInTheirCanonicalForm) {
  EXPECT_EQ(parsed("Host(`A.Example.COM.`)"), "Host(`a.example.com`)");
  EXPECT_EQ(parsed("Host(`[2001:DB8::1]`)"), "Host(`2001:db8::1`)");
  EXPECT_EQ(parsed("Host(`2001:DB8:0:0::1`)"), "Host(`2001:db8::1`)");
  EXPECT_EQ(parsed("Method(`get`)"), "Method(`GET`)");
}

TEST(RuleParser, DemandsTheNumberOfArgumentsOfTheTable) {
  EXPECT_EQ(parsed("Header(`X-A`, `b`)"), "Header(`X-A`, `b`)");
  EXPECT_EQ(parsed("Query(`k`)"), "Query(`k`)");
  EXPECT_EQ(parsed("QueryRegexp(`k`)"), "Query(`k`)");
  EXPECT_EQ(parsed("QueryRegexp(`k`, `^v`)"), "QueryRegexp(`k`, `^v`)");
  EXPECT_HAS(wrong("Header(`X-A`)"), "column 1: Header takes a name and a value, got 1");
  EXPECT_HAS(wrong("Query(`a`, `b`, `c`)"), "Query takes a key and a value");
  EXPECT_HAS(wrong("Host()"), "the shell took the backticks");
  EXPECT_HAS(wrong("Host(``)"), "column 6: Host has an empty value");
  EXPECT_HAS(wrong("Header(`X-A`, ``)"), "column 15: Header has an empty value");
}

TEST(RuleParser, ChecksTheKindOfEachArgument) {
  EXPECT_HAS(wrong("Path(`x`)"), "must start with a slash; write Path(`/x`)");
  EXPECT_HAS(wrong("PathPrefix(`x`)"), "must start with a slash");
  EXPECT_HAS(wrong("Host(`b\u00fccher.example`)"), "punycode");
  EXPECT_HAS(wrong("HostRegexp(`\u00fc`)"), "punycode");
  EXPECT_HAS(wrong("HostRegexp(`a(`)"), "does not compile: missing )");
  EXPECT_HAS(wrong("HeaderRegexp(`X`, `[`)"), "column 19: HeaderRegexp: the regular expression");
  EXPECT_HAS(wrong("ClientIP(`10.0.0.0/99`)"), "ClientIP takes an address or a block");
}

TEST(RuleParser, SaysTheNewSpellingOfOldSyntax) {
  EXPECT_HAS(wrong("Host(`a`, `b`)"), "v2 syntax, in v3 write (Host(`a`) || Host(`b`))");
  EXPECT_HAS(wrong("Headers(`X`, `y`)"), "in v3 write Header(`name`, `value`)");
  EXPECT_HAS(wrong("HeadersRegexp(`X`, `y`)"), "in v3 write HeaderRegexp(");
  EXPECT_HAS(wrong("HostHeader(`a`)"), "in v3 write Host(");
  EXPECT_HAS(wrong("Host:a.example.com"), "column 5: this is the rule syntax of version 1");
  EXPECT_HAS(wrong("PathPrefixStrip(`/x`)"), "middleware stripPrefix");
}

TEST(RuleParser, NamesTheRemedyForCommonMistakes) {
  EXPECT_HAS(wrong("Host('a')"), "column 6: single quotes");
  EXPECT_HAS(wrong("Hots(`a`)"), "column 1: unknown matcher \"Hots\"; did you mean Host?");
  EXPECT_HAS(wrong("Frobnicate(`a`)"), "there are Host, HostRegexp, Path");
  EXPECT_HAS(wrong("Host(example.com)"), "column 6: values stand in backticks: `example");
  EXPECT_HAS(wrong("Host(\u201ca\u201d)"), "typographic");
  EXPECT_HAS(wrong("Host(`a`)\u00A0|| Host(`b`)"), "column 10: a character that only looks like a blank");
  EXPECT_HAS(wrong("Host(`a`) & Path(`/x`)"), "column 11: a single & is no operator; write &&");
  EXPECT_HAS(wrong("Host(`a`) | Path(`/x`)"), "write ||");
  EXPECT_HAS(wrong("Host(`a`) and Path(`/x`)"), "column 11: put && or || before \"and\"");
  EXPECT_HAS(wrong("Host(`a`) Path(`/x`)"), "put && or ||");
  EXPECT_HAS(wrong("Host(`a`), Path(`/x`)"), "combine with && or ||");
  EXPECT_HAS(wrong("Host(`a` || `b`)"), "operators stand between matchers");
  EXPECT_HAS(wrong("Host(`a` `b`)"), "put a comma");
  EXPECT_HAS(wrong("Host(`a`) &&"), "column 13: a matcher is missing at the end");
  EXPECT_HAS(wrong("&& Host(`a`)"), "column 1: a matcher is missing here");
  EXPECT_HAS(wrong("(Host(`a`)"), "column 1: this ( is never closed");
  EXPECT_HAS(wrong("Host(`a`"), "column 5: this ( is never closed");
  EXPECT_HAS(wrong("Host(`a`))"), "column 10: this ) was never opened");
  EXPECT_HAS(wrong("Host"), "needs a value in parentheses");
  EXPECT_HAS(wrong("`a`"), "a value stands inside a matcher: Host(`…`)");
  EXPECT_HAS(wrong("\"Host(`a`)\""), "column 1: the whole rule stands in quotes");
  EXPECT_HAS(wrong("'Host(`a`)'"), "column 1: the whole rule stands in quotes");
  EXPECT_HAS(wrong("HostSNI(`a`)"), "an HTTP router takes Host(");
  EXPECT_HAS(wrong("Host(`a`)", Protocol::Tcp), "a TCP router takes HostSNI(");
  EXPECT_HAS(wrong("  "), "is empty");
}

TEST(RuleParser, NoticesWhatIsLegalButNeverMatches) {
  EXPECT_HAS(notices("Host(`a.example.com:8080`)"), "without its port");
  EXPECT_HAS(notices("Host(`a.example.com/app`)"), "host name");
  EXPECT_HAS(notices("Host(`a.*.com`)"), "first label");
  EXPECT_HAS(notices("Host(`*a.com`)"), "first label");
  EXPECT_HAS(notices("Path(`/u/{id}`)"), "in v3 write PathRegexp(`^\\/u\\/(?:[^/]+)$`)");
  EXPECT_HAS(notices("HostRegexp(`{sub:[a-z]+}.example.com`)"), "in v3 write HostRegexp(`(?i)^(?:[a-z]+)");
  EXPECT_HAS(notices("Query(`k=v`)"), "in v3 write Query(`k`, `v`)");
  EXPECT_HAS(notices("Host(`shop..example.com`)"), "a part between two dots is empty");
  EXPECT_HAS(notices("Host(`.example.com`)"), "a part between two dots is empty");
  EXPECT_HAS(notices("Path(`/a%2fb`)"),
             "never matches: of a path the decoded form is compared; write Path(`/a%2Fb`)");
  EXPECT_HAS(notices("PathPrefix(`/caf%C3%A9`)"), "write PathPrefix(`/café`)");
  EXPECT_HAS(notices("Path(`/search?q=1`)"), "use Query");
  EXPECT_HAS(notices("Header(`Host`, `a.example.com`)"), "use Host");
  EXPECT_HAS(notices("HostRegexp(`^App\\.example\\.com$`)"), "in lower case");
  EXPECT_EQ(notices("HostRegexp(`^\\S+[A-Za-z]$`) || HostRegexp(`(?i)^App`) || HostRegexp(`\\p{Lu}`)"), "");
  EXPECT_EQ(notices("Path(`/a%2Fb/c d/é`) || HeaderRegexp(`X-Host`, `^a`)"), "");
  EXPECT_EQ(notices("Host(`*.example.com`) && HostRegexp(`^a{2,3}\\.`) || Host(`*`) || Host(`::1`)"), "");
}

TEST(RuleParser, BoundsSizeAndDepth) {
  const std::string deep = std::string(64, '(') + "Host(`a`)" + std::string(64, ')');

  EXPECT_EQ(parsed(deep), "Host(`a`)");
  EXPECT_HAS(wrong("(" + deep + ")"), "more than 64 nested parentheses");
  EXPECT_EQ(parsed(std::string(100'000, '!') + "Host(`a`)"), "Host(`a`)");
  EXPECT_HAS(wrong(std::string(kMaxRuleBytes + 1, '(')), "is longer than 256 KiB");
}

TEST(RuleParser, ReadsThousandsOfAlternatives) {
  std::string text = "Host(`h0`)";
  for (int i = 1; i < 10'000; ++i) text += "||Host(`h" + std::to_string(i) + "`)";

  const auto rule = parse_rule(text, Protocol::Http);

  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->nodes.size(), 10'001U);
  EXPECT_EQ(rule->hosts().named.size(), 10'000U);
}

TEST(RuleParserV2, TakesSeveralValuesAsAlternatives) {
  EXPECT_EQ(parsed_v2("Host(`a`, `B`)"), "Any(Host(`a`), Host(`b`))");
  EXPECT_EQ(parsed_v2("!Host(`a`, `b`)"), "All(!Host(`a`), !Host(`b`))");
  EXPECT_EQ(parsed_v2("HostHeader(`a`) && Method(`get`, `post`)"),
            "All(Host(`a`), Any(Method(`GET`), Method(`POST`)))");
  EXPECT_EQ(parsed_v2("ClientIP(`10.0.0.1`, `::1`)"), "Any(ClientIP(`10.0.0.1`), ClientIP(`::1`))");
}

TEST(RuleParserV2, WantsAllOfSeveralPairs) {
  EXPECT_EQ(parsed_v2("Headers(`A`, `1`, `B`, `2`)"), "All(Header(`A`, `1`), Header(`B`, `2`))");
  EXPECT_EQ(parsed_v2("!Query(`a=1`, `b=2`)"), "Any(!Query(`a`, `1`), !Query(`b`, `2`))");
  EXPECT_HAS(wrong("Headers(`A`)", Protocol::Http, Syntax::V2), "in pairs");
  EXPECT_HAS(wrong("Query(`a`)", Protocol::Http, Syntax::V2), "key=value");
}

TEST(RuleParserV2, TranslatesTemplates) {
  const auto pattern = [](std::string_view text) {
    const auto rule = parse_rule(text, Protocol::Http, Syntax::V2);
    return rule ? rule->nodes[0].regex->pattern() : rule.error().what;
  };

  EXPECT_EQ(pattern("HostRegexp(`{sub:[a-z]+}.example.com`)"), R"((?i)^(?:[a-z]+)\.example\.com$)");
  EXPECT_EQ(pattern("HostRegexp(`{sub}.example.com`)"), R"((?i)^(?:[^.]+)\.example\.com$)");
  EXPECT_EQ(pattern("Path(`/u/{id:[0-9]{2,3}}/x`)"), R"(^\/u\/(?:[0-9]{2,3})\/x$)");
  EXPECT_EQ(pattern("PathPrefix(`/u/{id}`)"), R"(^\/u\/(?:[^/]+))");
  EXPECT_EQ(pattern("Query(`k={v:[0-9]+}`)"), "^(?:[0-9]+)$");
  EXPECT_EQ(parsed_v2("Path(`/plain`, `/t/{x}`)"), "Any(Path(`/plain`), PathRegexp(`/t/{x}`))");
}

TEST(RuleParserV2, RefusesBrokenTemplates) {
  EXPECT_HAS(wrong("HostRegexp(`{a`)", Protocol::Http, Syntax::V2), "unbalanced braces");
  EXPECT_HAS(wrong("HostRegexp(`a}`)", Protocol::Http, Syntax::V2), "unbalanced braces");
  EXPECT_HAS(wrong("HostRegexp(`{:x}`)", Protocol::Http, Syntax::V2), "without a name or pattern");
  EXPECT_HAS(wrong("HostRegexp(`{a:}`)", Protocol::Http, Syntax::V2), "without a name or pattern");
  EXPECT_HAS(wrong("PathRegexp(`/a`)", Protocol::Http, Syntax::V2), "in v2 write Path(`/{name:regexp}`)");
}

TEST(RuleParserTcp, ReadsItsFourMatchers) {
  EXPECT_EQ(parsed_tcp("HostSNI(`DB.example.com`) && ClientIP(`10.0.0.0/8`) && !ALPN(`h2`)"),
            "All(HostSNI(`db.example.com`), ClientIP(`10.0.0.0/8`), !ALPN(`h2`))");
  EXPECT_EQ(parsed_tcp("HostSNIRegexp(`^db[0-9]+\\.`)"), "HostSNIRegexp(`^db[0-9]+\\.`)");
  EXPECT_EQ(parsed("HostSNI(`a`, `b`)", Protocol::Tcp, Syntax::V2), "Any(HostSNI(`a`), HostSNI(`b`))");
}

TEST(RuleParserTcp, ChecksItsValues) {
  EXPECT_HAS(wrong("ALPN(`acme-tls/1`)", Protocol::Tcp), "reserved for certificate challenges");
  EXPECT_HAS(wrong("HostSNI(`a/b`)", Protocol::Tcp), "HostSNI takes a host name");
  EXPECT_HAS(wrong("HostSNI(`*.`)", Protocol::Tcp), "HostSNI takes a host name");
  EXPECT_HAS(wrong("HostSNI(`a*`)", Protocol::Tcp), "HostSNI takes a host name");
  EXPECT_EQ(parsed_tcp("HostSNI(`*.example.com`) || HostSNI(`*`)"),
            "Any(HostSNI(`*.example.com`), HostSNI(`*`))");
}

TEST(RuleHosts, TellsNamesOutsideFromNamesUnderANegation) {
  const auto rule =
      parse_rule("(Host(`A`) || !(Host(`b`) || !Host(`c`))) && Host(`a`)", Protocol::Http).value();

  EXPECT_EQ(rule.hosts().named, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(rule.hosts().negated, std::vector<std::string>{"b"});
}

TEST(RulePriority, IsTheLengthOfTheRuleAsWritten) {
  EXPECT_EQ(parse_rule("Host( `a` )", Protocol::Http)->default_priority(), 11);
  EXPECT_EQ(parse_rule(" HostSNI(`*`)", Protocol::Tcp)->default_priority(), -1);
  EXPECT_EQ(parse_rule("HostSNI(`*`) && ALPN(`h2`)", Protocol::Tcp)->default_priority(), 26);
}

TEST(RulePriority, LeavesTheHighestToFairleadItself) {
  const auto rule = parse_rule("Host(`a`)", Protocol::Http).value();

  EXPECT_EQ(effective_priority(rule, 0), 9);
  EXPECT_EQ(effective_priority(rule, -5), -5);
  EXPECT_EQ(effective_priority(rule, 9'223'372'036'854'774'807), 9'223'372'036'854'774'807);
  EXPECT_FALSE(effective_priority(rule, 9'223'372'036'854'774'808));
}

}  // namespace
}  // namespace fairlead::routing
