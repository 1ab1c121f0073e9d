#include "engine/http/url.h"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead::http {
namespace {

TEST(ParseAuthority, SplitsHostAndPortRfc3986Section32) {
  const auto named = parse_authority("Example.com:8080");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->host, "Example.com");
  EXPECT_EQ(named->port, "8080");
  EXPECT_FALSE(named->is_ipv6);

  const auto ipv6 = parse_authority("[2001:db8::1]:443");
  ASSERT_TRUE(ipv6);
  EXPECT_EQ(ipv6->host, "2001:db8::1");
  EXPECT_EQ(ipv6->port, "443");
  EXPECT_TRUE(ipv6->is_ipv6);

  ASSERT_TRUE(parse_authority("[::ffff:1.2.3.4]"));
  EXPECT_EQ(parse_authority("a:")->port, "");
  EXPECT_EQ(parse_authority("a:65535")->port, "65535");
}

TEST(ParseAuthority, RefusesWhatIsNoHost) {
  for (const std::string_view text : {"",          ".",        "..",
                                      ".a",        "a..b",     "a.b..",
                                      ":80",       "a:b",      "a:-1",
                                      "a:65536",   "a:000080", "a:80:80",
                                      "u@a",       "a/b",      "a b",
                                      "a,b",       "a%20",     "*",
                                      "*.a",       "a!",       "\xc3\xa4",
                                      "[",         "[]",       "[a]",
                                      "[::1",      "::1",      "[::1]a",
                                      "[::1]:x",   "[v1.x]",   "[fe80::1%25eth0]",
                                      "[1.2.3.4]", "[::1]]",   "[1:2:3:4:5:6:7:8:9]"})
    EXPECT_FALSE(parse_authority(text)) << text;
  EXPECT_FALSE(parse_authority(std::string_view("a\0b", 3)));
  EXPECT_FALSE(parse_authority(std::string_view("[::1\0]", 6)));
}

TEST(CanonicalHost, IsLowerCaseWithoutPortBracketsAndOneTrailingDot) {
  const auto canonical = [](std::string_view authority) {
    std::string host;
    canonical_host(*parse_authority(authority), host);
    return host;
  };

  EXPECT_EQ(canonical("WWW.Example.COM.:80"), "www.example.com");
  EXPECT_EQ(canonical("[2001:DB8::1]:80"), "2001:db8::1");
  EXPECT_EQ(canonical("[2001:0db8:0:0::0.0.0.1]"), "2001:db8::1");
  EXPECT_EQ(canonical("127.0.0.1"), "127.0.0.1");
}

TEST(SplitTarget, KnowsTheFormsOfRfc9112Section32) {
  const auto origin = split_target("/a/b?c?d");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->form, TargetForm::Origin);
  EXPECT_EQ(origin->path, "/a/b");
  EXPECT_EQ(origin->query, "c?d");

  const auto absolute = split_target("https://a:1/b?");
  ASSERT_TRUE(absolute);
  EXPECT_EQ(absolute->form, TargetForm::Absolute);
  EXPECT_EQ(absolute->authority, "a:1");
  EXPECT_EQ(absolute->path, "/b");
  EXPECT_TRUE(absolute->has_query);

  EXPECT_EQ(split_target("*")->form, TargetForm::Asterisk);
  EXPECT_EQ(split_target("http://a")->path, "");
  EXPECT_EQ(split_target("http://a?b")->query, "b");
  for (const char* text : {"", "a", "a/b", "http:", "http:/a", "http:http://x/admin", "ftp://a/", "?a"})
    EXPECT_FALSE(split_target(text)) << text;
}

TEST(PercentDecode, DecodesWholeEscapesOnly) {
  EXPECT_EQ(percent_decode("a%20b%2fc+d"), "a b/c+d");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
  EXPECT_EQ(percent_decode(""), "");
  for (const char* text : {"%", "%2", "%2x", "%x2", "a%", "%%20"}) EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(DecodeQuery, TakesPlusForASpace) {
  EXPECT_EQ(decode_query("a+b%2Bc"), "a b+c");
  EXPECT_FALSE(decode_query("%zz"));
}

TEST(QueryEquals, ComparesWithoutDecodingFirst) {
  EXPECT_TRUE(query_equals("a+b%2Bc", "a b+c"));
  EXPECT_TRUE(query_equals("", ""));
  EXPECT_FALSE(query_equals("a", "ab"));
  EXPECT_FALSE(query_equals("ab", "a"));
  EXPECT_FALSE(query_equals("%6", "a"));
  EXPECT_FALSE(query_equals("%41", "a"));
}

TEST(PercentEncode, KeepsTheGivenClasses) {
  EXPECT_EQ(percent_encode("a/b c~%\xc3\xa4"), "a%2Fb%20c~%25%C3%A4");
  EXPECT_EQ(percent_encode("/a b?c#d", kInPath), "/a%20b%3Fc%23d");
  EXPECT_EQ(percent_encode("a=b&c?\"", kInQuery), "a=b&c?%22");
}

TEST(QueryParameters, AreReadInOrderAndWithoutEmptyParts) {
  std::vector<std::pair<std::string, std::string>> seen;
  for (const auto& [key, value] : QueryParameters("&a=1&&b&c=&=d&e=f=g&")) seen.emplace_back(key, value);

  EXPECT_EQ(seen, (std::vector<std::pair<std::string, std::string>>{
                      {"a", "1"}, {"b", ""}, {"c", ""}, {"", "d"}, {"e", "f=g"}}));
  EXPECT_TRUE(QueryParameters("").begin() == std::default_sentinel);
  EXPECT_TRUE(QueryParameters("&&&").begin() == std::default_sentinel);
}

}  // namespace
}  // namespace fairlead::http
