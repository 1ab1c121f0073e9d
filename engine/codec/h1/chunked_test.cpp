#include "engine/codec/h1/chunked.h"

#include "engine/codec/h1/raw_case.h"

#include <gtest/gtest.h>

#include <optional>

namespace fairlead::codec::h1 {
namespace {

using test::RawCase;

struct Decoded {
  std::string data;
  std::size_t consumed = 0;
  bool done = false;
  std::optional<Error> error;
};

// Feeds `bytes` in reads of at most `read_size`.
Decoded decode(std::string_view bytes, std::size_t read_size, http::Fields* trailers = nullptr,
               Fault fault = Fault::Client) {
  ChunkedDecoder decoder(fault, trailers);
  Decoded out;
  while (out.consumed < bytes.size() && !out.done) {
    const auto step = decoder.feed(bytes.substr(out.consumed, read_size));
    if (!step) {
      out.error = step.error();
      return out;
    }
    out.data += step->data;
    out.consumed += step->consumed;
    out.done = step->done;
    EXPECT_EQ(step->done, decoder.done());
    if (step->consumed == 0 && !out.done) {
      ADD_FAILURE() << "no progress at " << out.consumed;
      return out;
    }
  }
  return out;
}

// A body of one chunk whose size line is `size_line`.
std::string sized(const std::string& size_line) { return size_line + "\r\nhello\r\n0\r\n\r\n"; }

const RawCase kBodies[] = {
    // Accepted; the data is "hello".
    {"RFC 9112 §7.1", "one chunk", sized("5")},
    {"RFC 9112 §7.1", "leading zeros", sized("0000000000000005")},
    {"RFC 9112 §7.1", "several chunks", "1\r\nh\r\n2\r\nel\r\n2\r\nlo\r\n0\r\n\r\n"},
    {"RFC 9112 §7.1", "last chunk of many zeros", "5\r\nhello\r\n000\r\n\r\n"},
    {"RFC 9112 §7.1.1", "extension without value", sized("5;a")},
    {"RFC 9112 §7.1.1", "extension with a token", sized("5;a=b")},
    {"RFC 9112 §7.1.1", "extension with a quoted string", sized("5;a=\"b;\\\"c\\\\ \td\"")},
    {"RFC 9112 §7.1.1", "empty quoted string", sized("5;a=\"\"")},
    {"RFC 9112 §7.1.1", "several extensions", sized("5;a;b=c;d=\"e\"")},
    {"RFC 9112 §7.1.1", "bad white space that must be tolerated", sized("5 \t; a = b ; c = \"d\" ;e")},
    {"RFC 9112 §7.1.1", "extension of the last chunk", "5\r\nhello\r\n0;a=b\r\n\r\n"},
    {"RFC 9112 §7.1.2", "trailer", "5\r\nhello\r\n0\r\nX: y\r\n\r\n"},
    {"RFC 9112 §7.1.1", "extension of 4,000 bytes", sized("5;" + std::string(4000, 'a'))},
    // Sizes.
    {"RFC 9112 §7.1", "empty size", sized(""), 400},
    {"RFC 9112 §7.1", "prefix", sized("0x5"), 400},
    {"RFC 9112 §7.1", "suffix", sized("5x"), 400},
    {"RFC 9112 §7.1", "plus sign", sized("+5"), 400},
    {"RFC 9112 §7.1", "minus sign", sized("-5"), 400},
    {"RFC 9112 §7.1", "underscore", sized("0_5"), 400},
    {"RFC 9112 §7.1", "no hexadecimal digit", sized("g"), 400},
    {"RFC 9112 §7.1", "space in front", sized(" 5"), 400},
    {"RFC 9112 §7.1", "space behind", sized("5 "), 400},
    {"RFC 9112 §7.1", "tab behind", sized("5\t"), 400},
    {"RFC 9112 §7.1", "two numbers", sized("5 5"), 400},
    {"RFC 9112 §7.1", "quoted", sized("\"5\""), 400},
    {"RFC 9112 §7.1", "NUL", sized(std::string("5\0", 2)), 400},
    {"RFC 9112 §7.1", "17 digits", sized("00000000000000005"), 400},
    {"RFC 9112 §7.1", "2^63", sized("8000000000000000"), 400},
    {"RFC 9112 §7.1", "2^64 - 1", sized("ffffffffffffffff"), 400},
    {"RFC 9112 §7.1", "2^64 + 5", sized("10000000000000005"), 400},
    // Line ends.
    {"RFC 9112 §2.2", "bare LF behind the size", "5\nhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §2.2", "bare CR behind the size", "5\rhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §2.2", "CR CR LF behind the size", "5\r\r\nhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1", "empty line before the size", "\r\n5\r\nhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1", "nothing behind the data", "5\r\nhello0\r\n\r\n", 400},
    {"RFC 9112 §7.1", "bare LF behind the data", "5\r\nhello\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1", "bare CR behind the data", "5\r\nhello\r0\r\n\r\n", 400},
    {"RFC 9112 §7.1", "data longer than its size", "5\r\nhello!\r\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1", "data shorter than its size", "5\r\nhell\r\n0\r\n\r\n", 400},
    {"RFC 9112 §2.2", "bare LF behind the last chunk", "5\r\nhello\r\n0\n\r\n", 400},
    {"RFC 9112 §7.1", "CR and a letter instead of the last line end", "5\r\nhello\r\n0\r\n\rX", 400},
    // Extensions.
    {"RFC 9112 §7.1.1", "bare LF behind a semicolon (CVE-2025-22871)", "5;\nhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1.1", "bare LF in an extension", "5;a\nhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1.1", "bare LF in a quoted string", "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1.1", "CRLF in a quoted string", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1.1", "escaped LF in a quoted string", "5;a=\"\\\n\"\r\nhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1.1", "bare CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", 400},
    {"RFC 9112 §7.1.1", "semicolon only", sized("5;"), 400},
    {"RFC 9112 §7.1.1", "two semicolons", sized("5;;a"), 400},
    {"RFC 9112 §7.1.1", "no name", sized("5;=b"), 400},
    {"RFC 9112 §7.1.1", "no value", sized("5;a="), 400},
    {"RFC 9112 §7.1.1", "two values", sized("5;a=b=c"), 400},
    {"RFC 9112 §7.1.1", "space instead of a semicolon", sized("5;a b"), 400},
    {"RFC 9112 §7.1.1", "open quoted string", sized("5;a=\"b"), 400},
    {"RFC 9112 §7.1.1", "bytes behind a quoted string", sized("5;a=\"b\"c"), 400},
    {"RFC 9112 §7.1.1", "control byte", sized("5;a\x01"), 400},
    {"RFC 9112 §7.1.1", "byte above ASCII in a name", sized("5;\xc3\xa4"), 400},
    {"RFC 9112 §7.1.1", "white space at the end of the line", sized("5;a "), 400},
    {"RFC 9112 §7.1.1", "line of more than 4 KiB", sized("5;" + std::string(4096, 'a')), 400},
    {"RFC 9112 §7.1.1", "extensions of more than 16 KiB",
     [] {
       std::string body;
       for (int i = 0; i < 5; ++i) body += "1;" + std::string(4000, 'a') + "\r\nx\r\n";
       return body + "0\r\n\r\n";
     }(),
     400},
    // Trailers.
    {"RFC 9112 §5.1", "space before the colon of a trailer", "0\r\nX : y\r\n\r\n", 400},
    {"RFC 9112 §5.2", "folded trailer", "0\r\nX: y\r\n z\r\n\r\n", 400},
    {"RFC 9112 §2.2", "bare LF in the trailers", "0\r\nX: y\n\r\n", 400},
    {"RFC 9112 §7.1.2", "no colon", "0\r\nX\r\n\r\n", 400},
    {"RFC 9112 §7.1.2", "white space instead of trailers", "0\r\n \r\n\r\n", 400},
    {"RFC 9112 §7.1.2", "trailers of more than 16 KiB", "0\r\nX: " + std::string(16384, 'a') + "\r\n\r\n",
     400},
    {"RFC 9112 §7.1.2", "trailers without end", "0\r\nX: " + std::string(17000, 'a'), 400},
};

class ChunkedBody : public testing::TestWithParam<RawCase> {};

TEST_P(ChunkedBody, IsReadAsTheRfcSaysHoweverItIsCut) {
  const auto& row = GetParam();
  for (const std::size_t read_size :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, row.bytes.size()}) {
    const Decoded out = decode(row.bytes, read_size);

    EXPECT_EQ(out.error ? out.error->status : 0, row.status) << "reads of " << read_size;
    if (row.status == 0) {
      EXPECT_TRUE(out.done);
      EXPECT_EQ(out.data, "hello");
      EXPECT_EQ(out.consumed, row.bytes.size());
    }
  }
}
INSTANTIATE_TEST_SUITE_P(All, ChunkedBody, testing::ValuesIn(kBodies));

TEST(ChunkedDecoder, LeavesTheNextRequestAloneRfc9112Section93) {
  const std::string body = "5\r\nhello\r\n0\r\n\r\n";

  for (const std::size_t read_size : {1, 4, 100}) {
    const Decoded out = decode(body + "GET / HTTP/1.1\r\n", read_size);
    EXPECT_TRUE(out.done);
    EXPECT_EQ(out.consumed, body.size());
  }
}

TEST(ChunkedDecoder, HandsOutViewsIntoItsInputAndTheEndTogetherWithTheLastData) {
  const std::string body = "5\r\nhello\r\n0\r\n\r\n";
  ChunkedDecoder decoder;

  const auto step = decoder.feed(body);

  ASSERT_TRUE(step);
  EXPECT_EQ(step->data.data(), body.data() + 3);
  EXPECT_EQ(step->consumed, body.size());
  EXPECT_TRUE(step->done);
}

TEST(ChunkedDecoder, BlamesTheSender) {
  const Decoded out = decode("x", 1, nullptr, Fault::Upstream);

  ASSERT_TRUE(out.error);
  EXPECT_EQ(out.error->status, 502);
  EXPECT_EQ(out.error->fault, Fault::Upstream);
}

TEST(ChunkedDecoder, KeepsTrailersButThoseThatMustNotBeOneRfc9110Section651) {
  const std::string body =
      "0\r\n"
      "Checksum: abc\r\n"
      "Content-Length: 5\r\n"
      "Transfer-Encoding: chunked\r\n"
      "HOST: evil\r\n"
      "X-Forwarded-For: 1.2.3.4\r\n"
      "X_Forwarded_Proto: https\r\n"
      "X.Real.Ip: 1.2.3.4\r\n"
      "Authorization: Basic xyz\r\n"
      "Set-Cookie: a=b\r\n"
      "grpc-status: 0\r\n"
      "\r\n";
  for (const std::size_t read_size : {std::size_t{1}, std::size_t{5}, body.size()}) {
    Arena arena;
    http::Fields trailers(arena);

    const Decoded out = decode(body, read_size, &trailers);

    ASSERT_TRUE(out.done);
    ASSERT_EQ(trailers.size(), 2U);
    EXPECT_EQ(trailers.get("checksum"), "abc");
    EXPECT_EQ(trailers.get("grpc-status"), "0");
  }
}

TEST(ChunkedDecoder, BoundsTheNumberOfTrailers) {
  std::string body = "0\r\n";
  for (std::size_t i = 0; i <= kMaxTrailerFields; ++i) body += "X: y\r\n";

  const Decoded out = decode(body + "\r\n", body.size() + 2);

  ASSERT_TRUE(out.error);
  EXPECT_EQ(out.error->status, 431);
}

TEST(ChunkEncoder, WritesWhatTheDecoderReads) {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{15}, std::uint64_t{16},
                                   std::uint64_t{0x123abc}, std::uint64_t{0x7fffffffffffffff}}) {
    char head[kMaxChunkHead];
    const std::string_view written(head, static_cast<std::size_t>(write_chunk_head(head, size) - head));
    EXPECT_EQ(std::stoull(std::string(written), nullptr, 16), size);
    EXPECT_NE(written.front(), '0');
    EXPECT_TRUE(written.ends_with("\r\n"));

    ChunkedDecoder decoder;
    const auto step = decoder.feed(std::string(written) + "x");
    ASSERT_TRUE(step);
    EXPECT_EQ(step->consumed, written.size() + 1);
  }
}

TEST(ChunkEncoder, EndsABodyWithItsTrailersRfc9112Section712) {
  Arena arena;
  http::Fields trailers(arena);
  trailers.add("Checksum", "abc");
  trailers.add("Content-Length", "5");
  std::string out;

  EXPECT_TRUE(append_last_chunk(out, trailers));

  EXPECT_EQ(out, "0\r\nChecksum: abc\r\n\r\n");
}

TEST(ChunkEncoder, RefusesATrailerThatCouldBeALineEnd) {
  for (const auto& [name, value] :
       {std::pair{"A", "b\r\nC: d"}, std::pair{"A\r\nB", "c"}, std::pair{"A", "b\n"}}) {
    Arena arena;
    http::Fields trailers(arena);
    trailers.add(name, value);
    std::string out;

    EXPECT_FALSE(append_last_chunk(out, trailers));
    EXPECT_EQ(out, "");
  }
}

}  // namespace
}  // namespace fairlead::codec::h1
