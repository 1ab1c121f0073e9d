#include "engine/codec/h1/raw_case.h"
#include "engine/codec/h1/request_parser.h"

#include <gtest/gtest.h>

namespace fairlead::codec::h1 {
namespace {

using test::RawCase;

// A request that is in order but for `lines`.
std::string with(const std::string& lines) { return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"; }
std::string line(std::string text) { return with(std::move(text) + "\r\n"); }

const RawCase kFieldLines[] = {
    // Accepted.
    {"RFC 9112 §5", "no white space behind the colon", line("X:a")},
    {"RFC 9110 §5.6.3", "much white space around the value", line("X: \t  a \t ")},
    {"RFC 9110 §5.5", "empty value", line("X:")},
    {"RFC 9110 §5.5", "empty value with white space", line("X: \t ")},
    {"RFC 9110 §5.5", "tab inside a value", line("X: a\tb")},
    {"RFC 9110 §5.5", "bytes above ASCII in a value", line("X: \xc3\xa4\xff")},
    {"RFC 9110 §5.5", "colons in a value", line("X: a:b:c")},
    {"RFC 9110 §5.6.2", "all token bytes in a name", line("!#$%&'*+-.^_`|~09azAZ: a")},
    {"RFC 9110 §5.1", "name with an underscore", line("X_Forwarded_For: a")},
    {"RFC 9110 §5.2", "the same name twice", line("X: a\r\nX: b")},
    {"RFC 9110 §5.1", "name of one byte", line("x: a")},
    {"RFC 9110 §5.1", "name of 40 letters", line(std::string(40, 'n') + ": a")},
    // Names.
    {"RFC 9112 §5.1", "space before the colon", line("X : a"), 400},
    {"RFC 9112 §5.1", "tab before the colon", line("X\t: a"), 400},
    {"RFC 9112 §5.1", "space before the colon of a framing field", line("Content-Length : 5"), 400},
    {"RFC 9112 §5.1", "space before the colon of Transfer-Encoding", line("Transfer-Encoding : chunked"),
     400},
    {"RFC 9112 §5.1", "vertical tab before the colon", line("Transfer-Encoding\v: chunked"), 400},
    {"RFC 9110 §5.1", "space in a name", line("X Y: a"), 400},
    {"RFC 9110 §5.1", "empty name", line(": a"), 400},
    {"RFC 9110 §5.1", "empty name and value", line(":"), 400},
    {"RFC 9112 §5", "no colon", line("X"), 400},
    {"RFC 9112 §5", "no colon but a space", line("X a"), 400},
    {"RFC 9110 §5.1", "NUL in a name", line(std::string("X\0Y: a", 6)), 400},
    {"RFC 9110 §5.1", "NUL behind a name", line(std::string("X\0: a", 5)), 400},
    {"RFC 9110 §5.1", "control byte in a name", line("X\x01: a"), 400},
    {"RFC 9110 §5.1", "DEL in a name", line("X\x7f: a"), 400},
    {"RFC 9110 §5.1", "byte above ASCII in a name", line("X\xc3\xa4: a"), 400},
    {"RFC 9110 §5.1", "no-break space behind a name", line("Transfer-Encoding\xa0: chunked"), 400},
    {"RFC 9110 §5.6.2", "quote in a name", line("\"X\": a"), 400},
    {"RFC 9110 §5.6.2", "parentheses in a name", line("X(): a"), 400},
    {"RFC 9110 §5.6.2", "comma in a name", line("X,Y: a"), 400},
    {"RFC 9110 §5.6.2", "slash in a name", line("X/Y: a"), 400},
    {"RFC 9110 §5.6.2", "semicolon in a name", line("X;Y: a"), 400},
    {"RFC 9110 §5.6.2", "equals sign in a name", line("X=Y: a"), 400},
    {"RFC 9110 §5.6.2", "at sign in a name", line("X@Y: a"), 400},
    {"RFC 9110 §5.6.2", "brackets in a name", line("[X]: a"), 400},
    {"RFC 9110 §5.6.2", "braces in a name", line("{X}: a"), 400},
    {"RFC 9110 §5.6.2", "backslash in a name", line("X\\Y: a"), 400},
    {"RFC 9110 §5.6.2", "question mark in a name", line("X?: a"), 400},
    {"RFC 9110 §5.6.2", "angle brackets in a name", line("<X>: a"), 400},
    // Values.
    {"RFC 9110 §5.5", "NUL in a value", line(std::string("X: a\0b", 6)), 400},
    {"RFC 9110 §5.5", "NUL at the end of a value", line(std::string("X: a\0", 5)), 400},
    {"RFC 9110 §5.5", "control byte in a value", line("X: a\x01"), 400},
    {"RFC 9110 §5.5", "escape in a value", line("X: a\x1b[0m"), 400},
    {"RFC 9110 §5.5", "vertical tab in a value", line("X: a\vb"), 400},
    {"RFC 9110 §5.5", "form feed in a value", line("X: a\fb"), 400},
    {"RFC 9110 §5.5", "DEL in a value", line("X: a\x7f"), 400},
    {"RFC 9110 §5.5", "control byte far behind", line("X: " + std::string(100, 'a') + "\x02"), 400},
    {"RFC 9112 §2.2", "bare CR in a value", line("X: a\rb"), 400},
    {"RFC 9112 §2.2", "bare CR at the end of a value", line("X: a\r"), 400},
    {"RFC 9112 §2.2", "bare LF in a value", line("X: a\nb"), 400},
    {"RFC 9112 §2.2", "field behind a bare LF", with("X: a\nTransfer-Encoding: chunked\r\n"), 400},
    {"RFC 9112 §2.2", "field behind a bare CR", with("X: a\rTransfer-Encoding: chunked\r\n"), 400},
    // Folding and ends.
    {"RFC 9112 §5.2", "value folded with a space", with("X: a\r\n b\r\n"), 400},
    {"RFC 9112 §5.2", "value folded with a tab", with("X: a\r\n\tb\r\n"), 400},
    {"RFC 9112 §5.2", "Transfer-Encoding folded", with("Transfer-Encoding:\r\n chunked\r\n"), 400},
    {"RFC 9112 §5.2", "folded line that is a field", with("X: a\r\n Content-Length: 5\r\n"), 400},
    {"RFC 9112 §2.2", "white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"RFC 9112 §2.2", "line of white space", with(" \r\n"), 400},
    {"RFC 9112 §2.2", "head that ends in a bare LF", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
    {"RFC 9112 §2.2", "head of bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"RFC 9112 §2.1", "bytes behind the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r\nX: y\r\n\r\n", 400},
    {"RFC 9112 §2.1", "no empty line", "GET / HTTP/1.1\r\nHost: a\r\n", 400},
    // In disguise: what an origin that folds '_' and '.' would take for framing.
    {"RFC 9112 §6", "Content_Length", line("Content_Length: 5"), 400},
    {"RFC 9112 §6", "transfer_encoding", line("transfer_encoding: chunked"), 400},
    {"RFC 9112 §6", "Transfer.Encoding", line("Transfer.Encoding: chunked"), 400},
    // Amounts.
    {"RFC 6585 §5", "1,000 fields",
     [] {
       std::string lines;
       for (int i = 0; i < 999; ++i) lines += "X: a\r\n";
       return with(lines);
     }()},
    {"RFC 6585 §5", "1,001 fields",
     [] {
       std::string lines;
       for (int i = 0; i < 1000; ++i) lines += "X: a\r\n";
       return with(lines);
     }(),
     431},
    {"RFC 6585 §5", "head of 1 MiB", line("X: " + std::string(1048576 - 32, 'a'))},
    {"RFC 6585 §5", "longer head", line("X: " + std::string(1048576 - 31, 'a')), 431},
};

class FieldLine : public testing::TestWithParam<RawCase> {};

TEST_P(FieldLine, IsReadAsTheRfcSays) {
  Arena arena;
  http::RequestHead head(arena);

  const Result<> parsed = parse_request_head(GetParam().bytes, {}, head);

  EXPECT_EQ(parsed ? 0 : parsed.error().status, GetParam().status) << (parsed ? "" : parsed.error().detail);
}
INSTANTIATE_TEST_SUITE_P(All, FieldLine, testing::ValuesIn(kFieldLines));

TEST(RequestFields, KeepOrderSpellingAndRepetitionRfc9110Section53) {
  const std::string bytes = with("accept: a\r\nX-b:  B \r\nACCEPT: c\r\n");
  Arena arena;
  http::RequestHead head(arena);

  ASSERT_TRUE(parse_request_head(bytes, {}, head));

  ASSERT_EQ(head.fields.size(), 4U);
  const auto* lines = &*head.fields.begin();
  EXPECT_EQ(lines[1].name, "accept");
  EXPECT_EQ(lines[1].known, http::Name::Accept);
  EXPECT_EQ(lines[2].name, "X-b");
  EXPECT_EQ(lines[2].value, "B");
  EXPECT_EQ(lines[2].known, http::Name::Other);
  EXPECT_EQ(head.fields.joined("Accept"), "a, c");
}

TEST(RequestFields, AreViewsIntoTheReceivedBytes) {
  const std::string bytes = line("X: value");
  Arena arena;
  http::RequestHead head(arena);

  ASSERT_TRUE(parse_request_head(bytes, {}, head));

  EXPECT_EQ(head.fields.get("x").data(), bytes.data() + bytes.find("value"));
  EXPECT_EQ(arena.held(), 0U) << "a plain head needs no memory of its own";
}

TEST(RequestFields, AnErrorSaysWhereAndShowsTheNameButNeverTheValue) {
  const std::string bytes = line("Authorization: secret\x01");
  Arena arena;
  http::RequestHead head(arena);

  const Result<> parsed = parse_request_head(bytes, {}, head);

  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().detail, "control byte 0x01 in the field at byte 46: \"Authorization\"");
}

// Every length of value meets the sixteen-byte steps of the scan differently.
TEST(RequestFields, FindABadByteAtEveryPlaceOfAValue) {
  for (std::size_t size = 1; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string value(size, 'v');
      value[at] = '\x02';
      const std::string bytes = line("X: " + value);
      Arena arena;
      http::RequestHead head(arena);
      ASSERT_FALSE(parse_request_head(bytes, {}, head)) << size << " " << at;
    }
    const std::string bytes = line("X: " + std::string(size, 'v'));
    Arena arena;
    http::RequestHead head(arena);
    ASSERT_TRUE(parse_request_head(bytes, {}, head));
    ASSERT_EQ(head.fields.get("X").size(), size);
  }
}

// The same for names.
TEST(RequestFields, FindABadByteAtEveryPlaceOfAName) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string name(size, 'n');
      name[at] = '@';
      const std::string bytes = line(name + ": a");
      Arena arena;
      http::RequestHead head(arena);
      ASSERT_FALSE(parse_request_head(bytes, {}, head)) << size << " " << at;
    }
  }
}

}  // namespace
}  // namespace fairlead::codec::h1
