#include "engine/codec/h1/head_bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::codec::h1 {
namespace {

std::size_t head_end(std::string_view bytes) {
  std::size_t scanned = 0;
  return find_head_end(bytes, scanned);
}

TEST(FindHeadEnd, FindsTheEmptyLineRfc9112Section21) {
  EXPECT_EQ(head_end("GET / HTTP/1.1\r\n\r\n"), 18U);
  EXPECT_EQ(head_end("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n"), 27U);
}

TEST(FindHeadEnd, WaitsForTheEmptyLine) {
  for (const char* part : {"", "G", "GET / HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\n",
                           "GET / HTTP/1.1\r\n\r", "\r\n", "a\r\nb\r\nc\r\nd\r\n", "\r\r\r\r"})
    EXPECT_EQ(head_end(part), kNoHead) << part;
}

TEST(FindHeadEnd, EndsAtAnEmptyLineOfBareLineFeedsSoThatItIsRefusedAtOnce) {
  EXPECT_EQ(head_end("GET / HTTP/1.1\n\n"), 16U);
  EXPECT_EQ(head_end("GET / HTTP/1.1\n\r\n"), 17U);
  EXPECT_EQ(head_end("GET / HTTP/1.1\r\n\n"), 17U);
}

TEST(FindHeadEnd, FindsItAtEveryPlaceAndInEveryCut) {
  for (std::size_t before = 0; before < 70; ++before) {
    const std::string bytes = std::string(before, 'x') + "\r\n\r\nrest of the connection";
    ASSERT_EQ(head_end(bytes), before + 4);
    for (std::size_t cut = 0; cut <= before + 4; ++cut) {
      std::size_t scanned = 0;
      const std::size_t first = find_head_end(std::string_view(bytes).substr(0, cut), scanned);
      ASSERT_EQ(first, cut == before + 4 ? cut : kNoHead) << before << " " << cut;
      ASSERT_LE(scanned, cut);
      ASSERT_EQ(find_head_end(bytes, scanned), before + 4) << before << " " << cut;
    }
  }
}

TEST(FindHeadEnd, ReadsADrippingHeadOnce) {
  const std::string bytes(1000, 'x');
  std::size_t scanned = 0;

  find_head_end(bytes, scanned);

  EXPECT_EQ(scanned, 998U) << "all but what may still become the end";
}

TEST(SkipEmptyLines, ToleratesOneRfc9112Section22) {
  EXPECT_EQ(skip_empty_lines("\r\nGET / HTTP/1.1\r\n"), 2U);
  EXPECT_EQ(skip_empty_lines("\r\n\r\nGET / HTTP/1.1\r\n"), 2U);
  EXPECT_EQ(skip_empty_lines("GET / HTTP/1.1\r\n"), 0U);
  EXPECT_EQ(skip_empty_lines("\nGET / HTTP/1.1\r\n"), 0U);
  EXPECT_EQ(skip_empty_lines("\r"), 0U);
}

TEST(CheckPartialHead, RefusesARequestLineWithoutEndRfc9110Section15515) {
  const std::string line = "GET /" + std::string(66000, 'a');

  ASSERT_FALSE(check_partial_head(line, {}));
  EXPECT_EQ(check_partial_head(line, {}).error().status, 414);
  EXPECT_TRUE(check_partial_head(line.substr(0, 65536), {}));
}

// RFC 9112 §3: a server that gets something else than a request line need not wait for the rest of a head.
TEST(CheckPartialHead, ALineOfAnotherProtocolIsRefusedAtOnce) {
  ASSERT_FALSE(check_partial_head("*2\r\n$3\r\nGET\r\n", {}));
  EXPECT_EQ(check_partial_head("*2\r\n$3\r\nGET\r\n", {}).error().status, 400);
  EXPECT_TRUE(check_partial_head("GET / HTTP/1.1\r\nHost: a\r\n", {}));
  EXPECT_TRUE(check_partial_head("\r\nGET /", {}));
}

TEST(CheckPartialHead, RefusesAHeadWithoutEndRfc6585Section5) {
  const std::string head = "GET / HTTP/1.1\r\nX: " + std::string(1048576, 'a');

  ASSERT_FALSE(check_partial_head(head, {}));
  EXPECT_EQ(check_partial_head(head, {}).error().status, 431);
  EXPECT_TRUE(check_partial_head(std::string_view(head).substr(0, 1048576), {}));
}

}  // namespace
}  // namespace fairlead::codec::h1
