#include "engine/http/canonical.h"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

// What a path becomes; "400" when it is refused.
std::string canonical(std::string path, bool sanitize = true) {
  const Result<> done = canonicalize_path(path, sanitize);
  if (done) return path;
  EXPECT_EQ(done.error().status, 400);
  EXPECT_EQ(done.error().fault, Fault::Client);
  return "400";
}

struct Row {
  const char* source;
  const char* before;
  const char* after;
};

TEST(CanonicalPath, IsOneForAllSpellings) {
  constexpr Row kRows[] = {
      {"RFC 3986 §6.2.2", "/", "/"},
      {"RFC 3986 §6.2.2", "/a/b.c", "/a/b.c"},
      {"RFC 3986 §6.2.2.2", "/%61%7E%2d", "/a~-"},
      {"RFC 3986 §6.2.2.1", "/a%2fb%3a", "/a%2Fb%3A"},
      {"RFC 3986 §6.2.2.2", "/%25%32%65", "/%252e"},
      {"RFC 3986 §2.4", "/%252e%252e/admin", "/%252e%252e/admin"},
      {"RFC 3986 §3.3", "/\xc3\xa4\"<>\\^`{|}", "/%C3%A4%22%3C%3E%5C%5E%60%7B%7C%7D"},
      {"RFC 3986 §3.3", "/!$&'()*+,;=:@[]", "/!$&'()*+,;=:@[]"},
      {"RFC 3986 §5.2.4", "/a/./b", "/a/b"},
      {"RFC 3986 §5.2.4", "/a/../b", "/b"},
      {"RFC 3986 §5.2.4", "/../../b", "/b"},
      {"CVE-2025-32431", "/service/../admin", "/admin"},
      {"CVE-2025-47952", "/service/%2e%2e/admin", "/admin"},
      {"CVE-2025-47952", "/service/%2E./admin", "/admin"},
      {"CVE-2025-47952", "/service/.%2e/%2e/admin", "/admin"},
      {"CVE-2025-66490", "/admin%2F", "/admin%2F"},
      {"CVE-2025-66490", "/a%2f..%2fadmin", "/a%2F..%2Fadmin"},
      {"CVE-2025-66490", "/a%00%3b%3f%23%5c", "/a%00%3B%3F%23%5C"},
      {"Go's path.Join", "/a/b/..", "/a"},
      {"Go's path.Join", "/a/b/../", "/a/"},
      {"Go's path.Join", "/a/.", "/a"},
      {"Go's path.Join", "/a/./", "/a/"},
      {"Go's path.Join", "/..", "/"},
      {"Go's path.Join", "/../", "/"},
      {"Go's path.Join", "/.", "/"},
      {"sanitizePath", "//a", "/a"},
      {"sanitizePath", "///", "/"},
      {"sanitizePath", "/a//b///", "/a/b/"},
      {"sanitizePath", "/a//../b", "/b"},
      {"sanitizePath", "/...", "/..."},
      {"sanitizePath", "/.a/..b/c..", "/.a/..b/c.."},
      {"CVE-2023-47106", "/#/../admin", "400"},
      {"RFC 3986 §2.1", "/%", "400"},
      {"RFC 3986 §2.1", "/%2", "400"},
      {"RFC 3986 §2.1", "/%zz", "400"},
      {"RFC 3986 §2.1", "/a%2", "400"},
      {"RFC 3986 §3.3", "/a b", "400"},
      {"RFC 3986 §3.3", "/a\nb", "400"},
      {"RFC 3986 §3.3", "/a\x7f", "400"},
      {"RFC 9112 §3.2.1", "", "400"},
      {"RFC 9112 §3.2.1", "a", "400"},
      {"RFC 9112 §3.2.1", "%2Fa", "400"},
      {"RFC 9112 §3.2.4", "*", "400"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(canonical(row.before), row.after) << row.source << ": " << row.before;
    if (std::string_view(row.after) == "400") continue;
    EXPECT_EQ(canonical(row.after), row.after) << "canonical forms stay as they are";
    EXPECT_TRUE(is_clean_path(row.after)) << row.after;
  }
}

TEST(CanonicalPath, KeepsSegmentsButNotSpellingsWithoutSanitizing) {
  EXPECT_EQ(canonical("/a/../b//c", false), "/a/../b//c");
  EXPECT_EQ(canonical("/a/%2e%2e/%7e%2f", false), "/a/../~%2F");
  EXPECT_EQ(canonical("/%zz", false), "400");
}

RequestHead request(Arena& arena, std::string path, std::string_view authority = "a") {
  RequestHead head(arena);
  head.method = "GET";
  head.path = std::move(path);
  head.authority = authority;
  return head;
}

std::string query_of(std::string_view query, const PathRules& rules = {}) {
  Arena arena;
  RequestHead head = request(arena, "/");
  head.query = query;
  head.has_query = true;
  return canonicalize(head, rules) ? head.query : "400";
}

TEST(CanonicalQuery, ReplacesSemicolons) {
  EXPECT_EQ(query_of("a=1;b=2"), "a=1&b=2");
  EXPECT_EQ(query_of("a=1;b=2\"", {.encode_query_semicolons = true}), "a=1%3Bb=2%22");
  EXPECT_EQ(query_of("a;\xc3\xa4<>"), "a&%C3%A4%3C%3E");
}

TEST(CanonicalQuery, KeepsWhatItNeedNotChange) {
  EXPECT_EQ(query_of(""), "");
  EXPECT_EQ(query_of("a=%zz&b=%2f%61/?:@\\^`{|}"), "a=%zz&b=%2f%61/?:@\\^`{|}");
}

TEST(CanonicalQuery, RefusesFragmentsSpacesAndControls) {
  EXPECT_EQ(query_of("a#b"), "400");
  EXPECT_EQ(query_of("a b"), "400");
  EXPECT_EQ(query_of("a\r\nb"), "400");
}

TEST(CanonicalHostOfARequest, ComesFromItsAuthority) {
  Arena arena;
  RequestHead head = request(arena, "/", "WWW.Example.com.:8080");
  ASSERT_TRUE(canonicalize(head, {}));
  EXPECT_EQ(head.host, "www.example.com");

  head.authority = {};
  ASSERT_TRUE(canonicalize(head, {}));
  EXPECT_EQ(head.host, "");

  head.authority = "me@a";
  EXPECT_EQ(canonicalize(head, {}).error().status, 400);
}

TEST(Canonicalize, LetsAnAsteriskThroughOnlyWithOptions) {
  Arena arena;
  RequestHead head = request(arena, "*");
  EXPECT_FALSE(canonicalize(head, {}));

  head.method = "OPTIONS";
  EXPECT_TRUE(canonicalize(head, {}));
  EXPECT_EQ(head.path, "*");
}

TEST(MatchingPath, DecodesAllButReservedEscapes) {
  std::string scratch;
  EXPECT_EQ(matching_path("/a%20b%C3%A4%22", scratch), "/a b\xc3\xa4\"");
  EXPECT_EQ(matching_path("/a%2Fb%3A%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25", scratch),
            "/a%2Fb%3A%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25");
  EXPECT_EQ(matching_path("/a%5Cb", scratch), "/a\\b");
}

TEST(MatchingPath, IsThePathItselfWithoutEscapes) {
  const std::string path = "/a/b";
  std::string scratch;

  EXPECT_EQ(matching_path(path, scratch).data(), path.data());
}

TEST(CleanPath, HasNoDotSegmentInAnySpellingAfterARewrite) {
  for (const char* path :
       {"/../admin", "/a/..", "/a/./b", "/.", "/..", "/%2e%2e/admin", "/.%2E", "/%2e/x", "/a/%2e./b", "", "a",
        "/%", "/%2", "/%zz", "/a b", "/a?b", "/a#b", "/a\r\n", "/\xc3\xa4"})
    EXPECT_FALSE(is_clean_path(path)) << path;
  for (const char* path :
       {"/", "/a", "/a/", "/a//b", "/...", "/.a", "/a..", "/%2e%2e%2e", "/%2Fa", "/%252e%252e/"})
    EXPECT_TRUE(is_clean_path(path)) << path;
}

TEST(DeniedEscape, NamesTheFirstThatIsNotAllowed) {
  EXPECT_FALSE(denied_escape("/%2F%5C%00%3B%25%3F%23", {}));
  EXPECT_EQ(denied_escape("/%20%2F", {.allow_slash = false}), "%2F");
  EXPECT_EQ(denied_escape("/%5C", {.allow_back_slash = false}), "%5C");
  EXPECT_EQ(denied_escape("/%00", {.allow_null_character = false}), "%00");
  EXPECT_EQ(denied_escape("/%3B", {.allow_semicolon = false}), "%3B");
  EXPECT_EQ(denied_escape("/%252F", {.allow_slash = false}), std::nullopt);
  EXPECT_EQ(denied_escape("/%252F", {.allow_percent = false}), "%25");
  EXPECT_EQ(denied_escape("/%3F", {.allow_question_mark = false}), "%3F");
  EXPECT_EQ(denied_escape("/%23", {.allow_hash = false}), "%23");
}

}  // namespace
}  // namespace fairlead::http
