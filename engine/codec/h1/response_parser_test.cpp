#include "engine/codec/h1/response_parser.h"

#include "engine/codec/h1/raw_case.h"

#include <gtest/gtest.h>

namespace fairlead::codec::h1 {
namespace {

using test::RawCase;

std::string response(std::string status_line, const std::string& lines = "") {
  return status_line + "\r\n" + lines + "\r\n";
}
std::string ok(const std::string& lines) { return response("HTTP/1.1 200 OK", lines); }

const RawCase kResponses[] = {
    // Status line.
    {"RFC 9112 §4", "version, status, reason", response("HTTP/1.1 200 OK")},
    {"RFC 9112 §4", "empty reason", response("HTTP/1.1 200 ")},
    {"RFC 9112 §4", "no reason and no space, as many send", response("HTTP/1.1 200")},
    {"RFC 9112 §4", "words and UTF-8 in the reason", response("HTTP/1.1 200 Alles \xc3\xbc\t in Ordnung")},
    {"RFC 9112 §4", "HTTP/1.0", response("HTTP/1.0 200 OK")},
    {"RFC 9110 §15", "unregistered status", response("HTTP/1.1 599 x")},
    {"RFC 9110 §15", "100", response("HTTP/1.1 100 Continue")},
    {"RFC 9110 §15", "99", response("HTTP/1.1 099 x"), 502},
    {"RFC 9110 §15", "600", response("HTTP/1.1 600 x"), 502},
    {"RFC 9110 §15", "000", response("HTTP/1.1 000 x"), 502},
    {"RFC 9112 §4", "two digits", response("HTTP/1.1 20 OK"), 502},
    {"RFC 9112 §4", "four digits", response("HTTP/1.1 2000 OK"), 502},
    {"RFC 9112 §4", "letter in the status", response("HTTP/1.1 2x0 OK"), 502},
    {"RFC 9112 §4", "sign in the status", response("HTTP/1.1 +20 OK"), 502},
    {"RFC 9112 §4", "no status", response("HTTP/1.1 OK"), 502},
    {"RFC 9112 §4", "two spaces before the status", response("HTTP/1.1  200 OK"), 502},
    {"RFC 9112 §4", "tab before the status", response("HTTP/1.1\t200 OK"), 502},
    {"RFC 9112 §4", "tab behind the status", response("HTTP/1.1 200\tOK"), 502},
    {"RFC 9112 §4", "space in front", response(" HTTP/1.1 200 OK"), 502},
    {"RFC 9112 §2.3", "HTTP/2.0", response("HTTP/2.0 200 OK"), 502},
    {"RFC 9112 §2.3", "HTTP/1.2", response("HTTP/1.2 200 OK"), 502},
    {"RFC 9112 §2.3", "lower case", response("http/1.1 200 OK"), 502},
    {"RFC 9112 §2.3", "another protocol", response("ICY 200 OK"), 502},
    {"RFC 9112 §2.3", "no version", response("200 OK"), 502},
    {"RFC 9112 §4", "empty line in front", "\r\nHTTP/1.1 200 OK\r\n\r\n", 502},
    {"RFC 9112 §4", "HTML without a head", "<html></html>\r\n\r\n", 502},
    {"RFC 9112 §4", "a TLS alert", std::string("\x15\x03\x01\0\x02\x02\x28\r\n\r\n", 11), 502},
    {"RFC 9112 §4", "nothing", "\r\n", 502},
    {"RFC 9112 §4", "NUL in the reason", response(std::string("HTTP/1.1 200 O\0K", 16)), 502},
    {"RFC 9112 §2.2", "bare CR in the reason", response("HTTP/1.1 200 O\rK"), 502},
    {"RFC 9112 §2.2", "bare LF behind the status line", "HTTP/1.1 200 OK\nX: a\r\n\r\n", 502},
    // Fields.
    {"RFC 9112 §5.1", "space before the colon", ok("X : a\r\n"), 502},
    {"RFC 9112 §5.2", "folded value", ok("X: a\r\n b\r\n"), 502},
    {"RFC 9110 §5.5", "NUL in a value", ok(std::string("X: \0\r\n", 6)), 502},
    {"RFC 9110 §5.1", "empty name", ok(": a\r\n"), 502},
    {"RFC 9112 §2.2", "bare LF behind a field", ok("X: a\nY: b\r\n"), 502},
    {"RFC 9112 §2.1", "bytes behind the head", ok("X: a\r\n\r\nY: b\r\n"), 502},
    // Content-Length.
    {"RFC 9112 §6.3", "a length", ok("Content-Length: 5\r\n")},
    {"RFC 9110 §8.6", "two equal lines", ok("Content-Length: 5\r\nContent-Length: 5\r\n")},
    {"RFC 9110 §8.6", "equal list", ok("Content-Length: 5, 5\r\n")},
    {"RFC 9110 §8.6", "two differing lines", ok("Content-Length: 5\r\nContent-Length: 6\r\n"), 502},
    {"RFC 9110 §8.6", "differing list", ok("Content-Length: 5, 6\r\n"), 502},
    {"RFC 9110 §8.6", "trailing comma", ok("Content-Length: 5,\r\n"), 502},
    {"RFC 9110 §8.6", "empty", ok("Content-Length:\r\n"), 502},
    {"RFC 9110 §8.6", "negative", ok("Content-Length: -5\r\n"), 502},
    {"RFC 9110 §8.6", "plus sign", ok("Content-Length: +5\r\n"), 502},
    {"RFC 9110 §8.6", "hexadecimal", ok("Content-Length: 0x5\r\n"), 502},
    {"RFC 9110 §8.6", "2^64", ok("Content-Length: 18446744073709551616\r\n"), 502},
    {"RFC 9112 §6", "Content_Length", ok("Content_Length: 5\r\n"), 502},
    // Transfer-Encoding.
    {"RFC 9112 §6.1", "chunked", ok("Transfer-Encoding: chunked\r\n")},
    {"RFC 9112 §6.1", "with Content-Length", ok("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 502},
    {"RFC 9112 §6.1", "another coding", ok("Transfer-Encoding: gzip\r\n"), 502},
    {"RFC 9112 §6.1", "another coding before chunked", ok("Transfer-Encoding: gzip, chunked\r\n"), 502},
    {"RFC 9112 §6.1", "identity", ok("Transfer-Encoding: identity\r\n"), 502},
    {"RFC 9112 §6.1", "empty", ok("Transfer-Encoding:\r\n"), 502},
    {"RFC 9112 §6.1", "two lines", ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 502},
    {"RFC 9112 §6.1", "in HTTP/1.0", response("HTTP/1.0 200 OK", "Transfer-Encoding: chunked\r\n"), 502},
    // Amounts.
    {"RFC 6585 §5", "too long for an answer", ok("X: " + std::string(262144, 'a') + "\r\n"), 502},
};

class Response : public testing::TestWithParam<RawCase> {};

TEST_P(Response, IsReadAsTheRfcSays) {
  Arena arena;
  http::ResponseHead head(arena);

  const Result<> parsed = parse_response_head(GetParam().bytes, kResponseLimits, "GET", head);

  EXPECT_EQ(parsed ? 0 : parsed.error().status, GetParam().status) << (parsed ? "" : parsed.error().detail);
  if (!parsed) {
    EXPECT_EQ(parsed.error().fault, Fault::Upstream);
  }
}
INSTANTIATE_TEST_SUITE_P(All, Response, testing::ValuesIn(kResponses));

struct Parsed {
  explicit Parsed(std::string raw, std::string_view method = "GET") : bytes(std::move(raw)) {
    const Result<> done = parse_response_head(bytes, kResponseLimits, method, head, &facts);
    EXPECT_TRUE(done) << (done ? "" : done.error().detail);
  }
  std::string bytes;
  Arena arena;
  http::ResponseHead head{arena};
  ResponseFacts facts;
};

TEST(ResponseParser, TellsHowTheBodyEndsRfc9112Section63) {
  EXPECT_EQ(Parsed(ok("Content-Length: 5\r\n")).facts.body, BodyKind::Length);
  EXPECT_EQ(Parsed(ok("Content-Length: 0\r\n")).facts.body, BodyKind::None);
  EXPECT_EQ(Parsed(ok("Transfer-Encoding: chunked\r\n")).facts.body, BodyKind::Chunked);
  EXPECT_EQ(Parsed(ok("")).facts.body, BodyKind::UntilClose);
  EXPECT_EQ(Parsed(response("HTTP/1.0 200 OK")).facts.body, BodyKind::UntilClose);
}

TEST(ResponseParser, KnowsWhatNeverHasABodyRfc9112Section63) {
  const std::string length = "Content-Length: 5\r\n";

  EXPECT_EQ(Parsed(ok(length), "HEAD").facts.body, BodyKind::None);
  EXPECT_EQ(Parsed(ok("Transfer-Encoding: chunked\r\n"), "HEAD").facts.body, BodyKind::None);
  EXPECT_EQ(Parsed(ok(""), "HEAD").facts.body, BodyKind::None);
  for (const char* status :
       {"100 Continue", "101 Switching Protocols", "103 Early Hints", "204 No Content", "304 x"})
    EXPECT_EQ(Parsed(response("HTTP/1.1 " + std::string(status), length)).facts.body, BodyKind::None)
        << status;
}

TEST(ResponseParser, KeepsTheLengthThatAHeadOrA304TellsRfc9110Section86) {
  const Parsed head(ok("Content-Length: 5\r\n"), "HEAD");
  const Parsed not_modified(response("HTTP/1.1 304 Not Modified", "Content-Length: 5\r\n"));

  EXPECT_EQ(head.head.content_length, 5U);
  EXPECT_TRUE(head.facts.keep_alive);
  EXPECT_EQ(not_modified.head.content_length, 5U);
  EXPECT_TRUE(not_modified.facts.keep_alive);
}

TEST(ResponseParser, ReducesEqualLengthsToOneRfc9110Section86) {
  const Parsed parsed(ok("Content-Length: 5\r\nA: b\r\nContent-Length: 5\r\n"));
  const Parsed list(ok("Content-Length: 5, 5\r\n"));

  EXPECT_EQ(parsed.head.content_length, 5U);
  EXPECT_EQ(parsed.head.fields.joined("Content-Length"), "5");
  EXPECT_EQ(parsed.head.fields.size(), 2U);
  EXPECT_EQ(list.head.fields.get("Content-Length"), "5");
}

TEST(ResponseParser, KeepsTheConnectionAsRfc9112Section93Says) {
  const std::string length = "Content-Length: 5\r\n";

  EXPECT_TRUE(Parsed(ok(length)).facts.keep_alive);
  EXPECT_FALSE(Parsed(ok(length + "Connection: Close\r\n")).facts.keep_alive);
  EXPECT_FALSE(Parsed(ok("")).facts.keep_alive) << "the close is the end of the body";
  EXPECT_FALSE(Parsed(response("HTTP/1.0 200 OK", length)).facts.keep_alive);
  EXPECT_TRUE(Parsed(response("HTTP/1.0 200 OK", length + "Connection: keep-alive\r\n")).facts.keep_alive);
}

TEST(ResponseParser, DoesNotTrustAConnectionThatAnnouncesABodyWhereNoneMayBeRfc9110Section86) {
  EXPECT_FALSE(Parsed(response("HTTP/1.1 204 No Content", "Content-Length: 5\r\n")).facts.keep_alive);
  EXPECT_FALSE(
      Parsed(response("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked\r\n")).facts.keep_alive);
  EXPECT_FALSE(Parsed(response("HTTP/1.1 103 Early Hints", "Content-Length: 5\r\n")).facts.keep_alive);
  EXPECT_TRUE(Parsed(response("HTTP/1.1 204 No Content", "Content-Length: 0\r\n")).facts.keep_alive);
}

TEST(ResponseParser, ReportsTheProtocolOfA101Rfc9110Section1522) {
  const Parsed parsed(
      response("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket\r\nConnection: upgrade\r\n"));

  EXPECT_EQ(parsed.head.upgrade, "websocket");
  EXPECT_EQ(Parsed(response("HTTP/1.1 101 x")).head.upgrade, "");
  EXPECT_EQ(Parsed(response("HTTP/1.1 101 x", "Upgrade: websocket\r\n")).head.upgrade, "")
      << "RFC 9110 §7.8: Connection must name it";
  EXPECT_EQ(Parsed(response("HTTP/1.1 101 x", "Upgrade: a\r\nUpgrade: b\r\n")).head.upgrade, "");
  EXPECT_EQ(Parsed(ok("Upgrade: h2c\r\n")).head.upgrade, "") << "an offer, no switch";
}

TEST(ResponseParser, KeepsStatusAndReasonAsReceived) {
  const Parsed parsed(response("HTTP/1.0 404 Nope  "));

  EXPECT_EQ(parsed.head.status, 404);
  EXPECT_EQ(parsed.head.reason, "Nope  ");
  EXPECT_EQ(parsed.head.version, http::Version::Http10);
}

TEST(ResponseParser, NeverReadsBehindTheBytesItWasGiven) {
  const std::string whole = ok("Content-Type: text/html\r\nX: y\r\n");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    Arena arena;
    http::ResponseHead head(arena);
    EXPECT_FALSE(parse_response_head({part.data(), part.size()}, {}, "GET", head)) << size;
  }
}

}  // namespace
}  // namespace fairlead::codec::h1
