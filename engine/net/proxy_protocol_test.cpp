#include "engine/net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::net {
namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

// A version 2 header: the bytes 13 and 14, and what follows the length.
std::string v2(unsigned char command, unsigned char family, const std::string& rest) {
  return kSignature + static_cast<char>(command) + static_cast<char>(family) +
         static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size() & 0xff) + rest;
}

// 192.0.2.1:56324 to 198.51.100.2:443
const std::string kInetBlock("\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb", 12);

TEST(ProxyProtocol, ReadsTheTcp4LineOfVersion1) {
  const std::string header = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";

  const ProxyResult result = parse_proxy_header(header + "GET / HTTP/1.1\r\n");

  ASSERT_EQ(result.status, ProxyStatus::Parsed) << result.why;
  EXPECT_EQ(result.size, header.size());
  ASSERT_TRUE(result.ends);
  EXPECT_EQ(result.ends->source.text(), "192.0.2.1:56324");
  EXPECT_EQ(result.ends->destination.text(), "198.51.100.2:443");
}

TEST(ProxyProtocol, ReadsTheTcp6LineOfVersion1) {
  const ProxyResult result = parse_proxy_header("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n");

  ASSERT_TRUE(result.ends);
  EXPECT_EQ(result.ends->source.text(), "[2001:db8::1]:1");
  EXPECT_EQ(result.ends->destination.text(), "[2001:db8::2]:65535");
}

TEST(ProxyProtocol, UnknownKeepsTheEndsOfTheConnection) {
  for (const std::string header : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"}) {
    const ProxyResult result = parse_proxy_header(header + "x");

    EXPECT_EQ(result.status, ProxyStatus::Parsed) << header;
    EXPECT_EQ(result.size, header.size());
    EXPECT_FALSE(result.ends);
  }
}

TEST(ProxyProtocol, RefusesWhatVersion1DoesNotAllow) {
  for (const char* header : {
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\r\n",
           "PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n",
           "PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 9\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 056 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 +5 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2  443\r\n",
           "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
           "PROXY TCP4 ::ffff:192.0.2.1 198.51.100.2 1 2\r\n",
           "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
           "PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n",
           "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n",
           "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n",
           "PROXY UNKNOWNX\r\n",
           "PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n",
           "PROXY \r\n",
           "PROXY \n",
       }) {
    const ProxyResult result = parse_proxy_header(header);
    EXPECT_EQ(result.status, ProxyStatus::Malformed) << header;
    EXPECT_FALSE(result.why.empty()) << header;
  }
}

TEST(ProxyProtocol, ALineOfVersion1EndsWithin107Bytes) {
  const std::string longest = "PROXY UNKNOWN " + std::string(107 - 16, 'x') + "\r\n";

  EXPECT_EQ(parse_proxy_header(longest).status, ProxyStatus::Parsed);
  EXPECT_EQ(parse_proxy_header("PROXY UNKNOWN " + std::string(107 - 15, 'x') + "\r\n").status,
            ProxyStatus::Malformed);
}

TEST(ProxyProtocol, ReadsBothFamiliesOfVersion2) {
  const std::string v4 = v2(0x21, 0x11, kInetBlock);
  const ProxyResult result = parse_proxy_header(v4 + "rest");
  ASSERT_TRUE(result.ends) << result.why;
  EXPECT_EQ(result.size, 28u);
  EXPECT_EQ(result.ends->source.text(), "192.0.2.1:56324");
  EXPECT_EQ(result.ends->destination.text(), "198.51.100.2:443");

  const Address client{*Ip::parse("2001:db8::1"), 4711};
  const Address own{*Ip::parse("2001:db8::2"), 443};
  const ProxyResult v6 = parse_proxy_header(proxy_header(2, client, own));
  ASSERT_TRUE(v6.ends) << v6.why;
  EXPECT_EQ(v6.ends->source, client);
  EXPECT_EQ(v6.ends->destination, own);
}

TEST(ProxyProtocol, SkipsTlvsOfVersion2) {
  const std::string tlvs(
      "\x02\x00\x03"
      "abc"
      "\xea\x00\x00"
      "\x04\x00\x01"
      "x",
      13);

  const ProxyResult result = parse_proxy_header(v2(0x21, 0x11, kInetBlock + tlvs) + "GET");

  ASSERT_TRUE(result.ends) << result.why;
  EXPECT_EQ(result.size, 28u + tlvs.size());
}

TEST(ProxyProtocol, RefusesTlvsThatReachBeyondTheHeader) {
  for (const std::string& tlvs : {std::string("\x02\x00\x04"
                                              "abc",
                                              6),
                                  std::string("\x02\x00", 2), std::string("\x02", 1),
                                  std::string("\x02\xff\xff"
                                              "abc",
                                              6)})
    EXPECT_EQ(parse_proxy_header(v2(0x21, 0x11, kInetBlock + tlvs) + std::string(70000, 'x')).status,
              ProxyStatus::Malformed);
}

TEST(ProxyProtocol, LocalUnixAndDatagramHeadersKeepTheEndsOfTheConnection) {
  for (const std::string& header :
       {v2(0x20, 0x00, ""), v2(0x20, 0x11, kInetBlock), v2(0x20, 0x11, "xy"), v2(0x20, 0xff, "xy"),
        v2(0x21, 0x00, "whatever"), v2(0x21, 0x31, std::string(216, 'p')), v2(0x21, 0x12, kInetBlock)}) {
    const ProxyResult result = parse_proxy_header(header + "x");

    EXPECT_EQ(result.status, ProxyStatus::Parsed) << result.why;
    EXPECT_EQ(result.size, header.size());
    EXPECT_FALSE(result.ends);
  }
}

TEST(ProxyProtocol, RefusesWhatVersion2DoesNotAllow) {
  for (const std::string& header :
       {v2(0x11, 0x11, kInetBlock), v2(0x22, 0x11, kInetBlock), v2(0x21, 0x41, kInetBlock),
        v2(0x21, 0x13, kInetBlock), v2(0x21, 0x11, kInetBlock.substr(1)), v2(0x21, 0x21, kInetBlock),
        v2(0x21, 0x31, std::string(215, 'p')), v2(0x20, 0x00, std::string(4081, 'x'))}) {
    const ProxyResult result = parse_proxy_header(header);
    EXPECT_EQ(result.status, ProxyStatus::Malformed);
    EXPECT_FALSE(result.why.empty());
  }
}

TEST(ProxyProtocol, EveryPrefixOfAHeaderWaits) {
  for (const std::string& header : {std::string("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"),
                                    v2(0x21, 0x11, kInetBlock + std::string("\x04\x00\x01x", 4))})
    for (std::size_t cut = 0; cut < header.size(); ++cut)
      EXPECT_EQ(parse_proxy_header(header.substr(0, cut)).status, ProxyStatus::NeedMore) << cut;
}

TEST(ProxyProtocol, OtherProtocolsAreSeenAtTheFirstByteThatDiffers) {
  for (const char* first : {"GET / HTTP/1.1\r\n", "POST /", "PRI * HTTP/2.0", "PROPFIND", "PROXYX",
                            "\x16\x03\x01", "\r\nGET", "\r\n\r\n\r\n"})
    EXPECT_EQ(parse_proxy_header(first).status, ProxyStatus::Absent) << first;
  EXPECT_EQ(parse_proxy_header("PR").status, ProxyStatus::NeedMore);
}

TEST(ProxyProtocol, WritesWhatItReads) {
  const Address v4{*Ip::parse("192.0.2.1"), 56324};
  const Address v4_own{*Ip::parse("198.51.100.2"), 443};
  const Address v6{*Ip::parse("2001:db8::1"), 1};

  EXPECT_EQ(proxy_header(1, v4, v4_own), "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n");
  EXPECT_EQ(proxy_header(2, v4, v4_own), v2(0x21, 0x11, kInetBlock));
  EXPECT_EQ(proxy_header(1, v4, v6), "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 56324 1\r\n");
  for (const int version : {1, 2})
    for (const auto& [from, to] : {std::pair{v4, v4_own}, {v6, v6}, {v4, v6}}) {
      const std::string header = proxy_header(version, from, to);
      const ProxyResult result = parse_proxy_header(header);
      ASSERT_TRUE(result.ends) << result.why;
      EXPECT_EQ(result.size, header.size());
      EXPECT_EQ(result.ends->source, from);
      EXPECT_EQ(result.ends->destination, to);
    }
  for (const int version : {1, 2}) {
    const ProxyResult result = parse_proxy_header(own_proxy_header(version));
    EXPECT_EQ(result.status, ProxyStatus::Parsed);
    EXPECT_FALSE(result.ends);
  }
}

}  // namespace
}  // namespace fairlead::net
