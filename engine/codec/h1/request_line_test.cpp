#include "engine/codec/h1/raw_case.h"
#include "engine/codec/h1/request_parser.h"

#include <gtest/gtest.h>

namespace fairlead::codec::h1 {
namespace {

using test::RawCase;

// A request whose first line is `line` and which is otherwise in order.
std::string request(std::string line) { return line + "\r\nHost: a\r\n\r\n"; }

const RawCase kRequestLines[] = {
    // Accepted.
    {"RFC 9112 §3", "method, target, version", request("GET / HTTP/1.1")},
    {"RFC 9112 §3", "version 1.0", request("GET / HTTP/1.0")},
    {"RFC 9110 §9.1", "any token is a method", request("M-SEARCH / HTTP/1.1")},
    {"RFC 9110 §9.1", "methods are case-sensitive, lower case is another one", request("get / HTTP/1.1")},
    {"RFC 9110 §5.6.2", "all token bytes", request("!#$%&'*+-.^_`|~0aZ / HTTP/1.1")},
    {"RFC 9112 §3.2.1", "origin-form with a query", request("GET /a?b=c&d HTTP/1.1")},
    {"RFC 9112 §3.2.1", "empty query", request("GET /a? HTTP/1.1")},
    {"RFC 3986 §3.3", "empty first segment", request("GET //a HTTP/1.1")},
    {"RFC 3986 §3.3", "all pchar", request("GET /aZ0-._~!$&'()*+,;=:@%20 HTTP/1.1")},
    {"RFC 3986 §2", "bytes that canonicalisation escapes", request("GET /\"<>\\^`{|} HTTP/1.1")},
    {"RFC 3986 §2", "UTF-8 that canonicalisation escapes", request("GET /\xc3\xa4 HTTP/1.1")},
    {"RFC 9112 §3.2.2", "absolute-form", request("GET http://a/b HTTP/1.1")},
    {"RFC 9112 §3.2.2", "absolute-form with https", request("GET https://a/b HTTP/1.1")},
    {"RFC 3986 §3.1", "schemes have no case", request("GET HTTP://a/b HTTP/1.1")},
    {"RFC 9112 §3.2.2", "absolute-form without path", request("GET http://a HTTP/1.1")},
    {"RFC 9112 §3.2.2", "absolute-form with port", request("GET http://a:8080/ HTTP/1.1")},
    {"RFC 9112 §3.2.2", "absolute-form with IPv6", request("GET http://[::1]:80/ HTTP/1.1")},
    {"RFC 9112 §3.2.4", "asterisk-form", request("OPTIONS * HTTP/1.1")},
    // Method.
    {"RFC 9112 §3", "empty line instead of a request line", "\r\nHost: a\r\n\r\n", 400},
    {"RFC 9112 §3", "nothing but empty lines", "\r\n\r\n", 400},
    {"RFC 9112 §3", "space in front", request(" GET / HTTP/1.1"), 400},
    {"RFC 9112 §3", "tab instead of a space", request("GET\t/ HTTP/1.1"), 400},
    {"RFC 9112 §3", "method only", request("GET"), 400},
    {"RFC 9110 §5.6.2", "colon in the method", request("GE:T / HTTP/1.1"), 400},
    {"RFC 9110 §5.6.2", "slash in the method", request("GET/ / HTTP/1.1"), 400},
    {"RFC 9110 §5.6.2", "quote in the method", request("\"GET\" / HTTP/1.1"), 400},
    {"RFC 9110 §5.6.2", "NUL in the method", request(std::string("G\0T / HTTP/1.1", 14)), 400},
    {"RFC 9110 §5.6.2", "byte above ASCII in the method", request("G\xc3\x84T / HTTP/1.1"), 400},
    {"RFC 9110 §5.6.2", "control byte in the method", request("GET\x01 / HTTP/1.1"), 400},
    {"RFC 9112 §3", "method of 64 bytes", request(std::string(64, 'M') + " / HTTP/1.1")},
    {"RFC 9112 §3", "method longer than any known", request(std::string(65, 'M') + " / HTTP/1.1"), 501},
    {"RFC 9112 §3", "long line without a space", request(std::string(5000, 'M')), 501},
    {"RFC 9110 §9.3.6", "CONNECT with authority-form", request("CONNECT a:443 HTTP/1.1"), 501},
    {"RFC 9110 §9.3.6", "CONNECT with origin-form", request("CONNECT / HTTP/1.1"), 501},
    // Target.
    {"RFC 9112 §3.2", "no target", request("GET HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "two spaces: an empty target", request("GET  HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "two spaces before the target", request("GET  / HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "space in the target", request("GET /a b HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "tab in the target", request("GET /a\tb HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "NUL in the target", request(std::string("GET /a\0b HTTP/1.1", 17)), 400},
    {"RFC 9112 §3.2", "DEL in the target", request("GET /a\x7f HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "CR in the target", request("GET /a\rb HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "LF in the target", request("GET /a\nb HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "vertical tab in the target", request("GET /a\vb HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "control far behind in the target",
     request("GET /" + std::string(40, 'a') + "\x01 HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "fragment", request("GET /#/../admin HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "fragment behind the query", request("GET /?a#b HTTP/1.1"), 400},
    {"RFC 9112 §3.2", "fragment of an absolute target", request("GET http://a#b HTTP/1.1"), 400},
    {"RFC 9112 §3.2.1", "no slash in front", request("GET a HTTP/1.1"), 400},
    {"RFC 9112 §3.2.1", "only a query", request("GET ?a=b HTTP/1.1"), 400},
    {"RFC 9112 §3.2.3", "authority-form without CONNECT", request("GET a:80 HTTP/1.1"), 400},
    {"RFC 9112 §3.2.4", "asterisk without OPTIONS", request("GET * HTTP/1.1"), 400},
    {"RFC 9112 §3.2.4", "asterisk with more behind", request("OPTIONS *a HTTP/1.1"), 400},
    {"RFC 9112 §3.2.2", "opaque target", request("GET http:http://a/admin HTTP/1.1"), 400},
    {"RFC 9112 §3.2.2", "scheme with one slash", request("GET http:/a HTTP/1.1"), 400},
    {"RFC 9112 §3.2.2", "another scheme", request("GET ftp://a/ HTTP/1.1"), 400},
    {"RFC 9112 §3.2.2", "scheme of a WebSocket", request("GET ws://a/ HTTP/1.1"), 400},
    {"RFC 9112 §3.2.2", "scheme without a host", request("GET http:// HTTP/1.1"), 400},
    {"RFC 9110 §4.2.1", "empty host", request("GET http:///a HTTP/1.1"), 400},
    {"RFC 9110 §4.2.4", "user in the target", request("GET http://me@a/ HTTP/1.1"), 400},
    {"RFC 9110 §4.2.4", "user and password in the target", request("GET http://me:pw@a/ HTTP/1.1"), 400},
    {"RFC 3986 §3.2.3", "port above 65535", request("GET http://a:65536/ HTTP/1.1"), 400},
    {"RFC 3986 §3.2.3", "port that is no number", request("GET http://a:x/ HTTP/1.1"), 400},
    {"RFC 3986 §3.2.2", "open bracket", request("GET http://[::1/ HTTP/1.1"), 400},
    {"RFC 3986 §3.2.2", "backslash in the authority", request("GET http://a\\b/ HTTP/1.1"), 400},
    {"RFC 9110 §4.1", "target of 64 KiB", request("GET /" + std::string(65535, 'a') + " HTTP/1.1")},
    {"RFC 9110 §15.5.15", "longer target", request("GET /" + std::string(65536, 'a') + " HTTP/1.1"), 414},
    // Version.
    {"RFC 9112 §2.3", "no version: HTTP/0.9", request("GET /"), 400},
    {"RFC 9112 §2.3", "space but no version", request("GET / "), 400},
    {"RFC 9112 §2.3", "lower case", request("GET / http/1.1"), 400},
    {"RFC 9112 §2.3", "another protocol", request("GET / ICY/1.1"), 400},
    {"RFC 9112 §2.3", "no minor version", request("GET / HTTP/1"), 400},
    {"RFC 9112 §2.3", "two digits", request("GET / HTTP/1.10"), 400},
    {"RFC 9112 §2.3", "leading zero", request("GET / HTTP/01.1"), 400},
    {"RFC 9112 §2.3", "comma for the dot", request("GET / HTTP/1,1"), 400},
    {"RFC 9112 §2.3", "letter for a digit", request("GET / HTTP/1.x"), 400},
    {"RFC 9112 §2.3", "space behind the version", request("GET / HTTP/1.1 "), 400},
    {"RFC 9112 §2.3", "space in the version", request("GET / HTTP/ 1.1"), 400},
    {"RFC 9112 §2.3", "two spaces before the version", request("GET /  HTTP/1.1"), 400},
    {"RFC 9112 §2.3", "second target behind the version", request("GET / HTTP/1.1 /x HTTP/1.1"), 400},
    {"RFC 9110 §15.6.6", "HTTP/2.0", request("GET / HTTP/2.0"), 505},
    {"RFC 9110 §15.6.6", "HTTP/3.0", request("GET / HTTP/3.0"), 505},
    {"RFC 9110 §15.6.6", "HTTP/9.9", request("GET / HTTP/9.9"), 505},
    {"RFC 9110 §15.6.6", "HTTP/1.2, which nobody has defined", request("GET / HTTP/1.2"), 505},
    {"RFC 9110 §15.6.6", "HTTP/0.9 with fields", request("GET / HTTP/0.9"), 505},
    // Line end.
    {"RFC 9112 §2.2", "bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
    {"RFC 9112 §2.2", "bare CR", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
    {"RFC 9112 §2.2", "CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400},
    {"RFC 9112 §2.2", "LF CR", "GET / HTTP/1.1\n\rHost: a\r\n\r\n", 400},
};

class RequestLine : public testing::TestWithParam<RawCase> {};

TEST_P(RequestLine, IsReadAsTheRfcSays) {
  Arena arena;
  http::RequestHead head(arena);

  const Result<> parsed = parse_request_head(GetParam().bytes, {}, head);

  EXPECT_EQ(parsed ? 0 : parsed.error().status, GetParam().status) << (parsed ? "" : parsed.error().detail);
  if (!parsed) {
    EXPECT_EQ(parsed.error().fault, Fault::Client);
    EXPECT_FALSE(parsed.error().detail.empty());
  }
}
INSTANTIATE_TEST_SUITE_P(All, RequestLine, testing::ValuesIn(kRequestLines));

class RequestTarget : public testing::Test {
 protected:
  http::RequestHead& parse(std::string line) {
    bytes_ = request(std::move(line));
    const Result<> parsed = parse_request_head(bytes_, {}, head_);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().detail);
    return head_;
  }

 private:
  std::string bytes_;
  Arena arena_;
  http::RequestHead head_{arena_};
};

TEST_F(RequestTarget, InOriginFormIsSplitAtTheFirstQuestionMark) {
  const auto& head = parse("GET /a%2Fb/../c?x=1?y HTTP/1.1");

  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/a%2Fb/../c?x=1?y");
  EXPECT_EQ(head.path, "/a%2Fb/../c");
  EXPECT_TRUE(head.has_query);
  EXPECT_EQ(head.query, "x=1?y");
  EXPECT_EQ(head.authority, "a");
}

TEST_F(RequestTarget, TellsAnEmptyQueryFromNone) { EXPECT_TRUE(parse("GET /? HTTP/1.1").has_query); }

TEST_F(RequestTarget, InAbsoluteFormReplacesHostRfc9112Section322) {
  const auto& head = parse("GET http://Real.example:81/p?q HTTP/1.1");

  EXPECT_EQ(head.authority, "Real.example:81");
  EXPECT_EQ(head.fields.get(http::Name::Host), "Real.example:81");
  EXPECT_EQ(head.path, "/p");
  EXPECT_EQ(head.query, "q");
}

TEST_F(RequestTarget, InAbsoluteFormWithoutAPathMeansTheRoot) {
  const auto& head = parse("GET http://b?q HTTP/1.1");

  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "q");
}

TEST_F(RequestTarget, OfOptionsInAbsoluteFormWithoutAPathMeansTheServerRfc9112Section324) {
  EXPECT_EQ(parse("OPTIONS http://b HTTP/1.1").path, "*");
}

TEST_F(RequestTarget, GivesAnHttp10RequestWithoutHostTheHostOfAnAbsoluteTarget) {
  const std::string bytes = "GET http://b/ HTTP/1.0\r\n\r\n";
  Arena arena;
  http::RequestHead head(arena);

  ASSERT_TRUE(parse_request_head(bytes, {}, head));

  EXPECT_EQ(head.version, http::Version::Http10);
  EXPECT_EQ(head.fields.get("host"), "b");
}

}  // namespace
}  // namespace fairlead::codec::h1
