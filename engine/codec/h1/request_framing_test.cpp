#include "engine/codec/h1/raw_case.h"
#include "engine/codec/h1/request_parser.h"

#include <gtest/gtest.h>

namespace fairlead::codec::h1 {
namespace {

using test::RawCase;

// A POST that is in order but for `lines`, each without its line end.
std::string post(std::initializer_list<std::string_view> lines, std::string_view version = "HTTP/1.1") {
  std::string out = "POST / ";
  out.append(version).append("\r\nHost: a\r\n");
  for (const auto line : lines) out.append(line).append("\r\n");
  return out + "\r\n";
}
std::string host(std::initializer_list<std::string_view> lines, std::string_view version = "HTTP/1.1") {
  std::string out = "GET / ";
  out.append(version).append("\r\n");
  for (const auto line : lines) out.append(line).append("\r\n");
  return out + "\r\n";
}

constexpr std::string_view kChunked = "Transfer-Encoding: chunked";

const RawCase kFraming[] = {
    // Content-Length.
    {"RFC 9112 §6.2", "a length", post({"Content-Length: 5"})},
    {"RFC 9112 §6.2", "zero", post({"Content-Length: 0"})},
    {"RFC 9110 §8.6", "leading zeros are digits", post({"Content-Length: 005"})},
    {"RFC 9110 §8.6", "the largest length", post({"Content-Length: 9223372036854775807"})},
    {"RFC 9110 §8.6", "2^63", post({"Content-Length: 9223372036854775808"}), 400},
    {"RFC 9110 §8.6", "2^64", post({"Content-Length: 18446744073709551616"}), 400},
    {"RFC 9110 §8.6", "2^64 + 5", post({"Content-Length: 18446744073709551621"}), 400},
    {"RFC 9110 §8.6", "a hundred digits", post({"Content-Length: " + std::string(100, '9')}), 400},
    {"RFC 9110 §8.6", "plus sign", post({"Content-Length: +5"}), 400},
    {"RFC 9110 §8.6", "minus zero", post({"Content-Length: -0"}), 400},
    {"RFC 9110 §8.6", "negative", post({"Content-Length: -1"}), 400},
    {"RFC 9110 §8.6", "hexadecimal", post({"Content-Length: 0x5"}), 400},
    {"RFC 9110 §8.6", "underscore", post({"Content-Length: 1_0"}), 400},
    {"RFC 9110 §8.6", "point", post({"Content-Length: 5.0"}), 400},
    {"RFC 9110 §8.6", "exponent", post({"Content-Length: 1e1"}), 400},
    {"RFC 9110 §8.6", "two numbers", post({"Content-Length: 5 5"}), 400},
    {"RFC 9110 §8.6", "empty", post({"Content-Length:"}), 400},
    {"RFC 9110 §8.6", "white space", post({"Content-Length: \t "}), 400},
    {"RFC 9110 §8.6", "quoted", post({"Content-Length: \"5\""}), 400},
    {"RFC 9110 §8.6", "letters", post({"Content-Length: five"}), 400},
    {"RFC 9110 §8.6", "digits of another script", post({"Content-Length: \xd9\xa5"}), 400},
    {"RFC 9110 §8.6", "differing list", post({"Content-Length: 5, 6"}), 400},
    {"RFC 9110 §8.6", "equal list", post({"Content-Length: 5, 5"}), 400},
    {"RFC 9110 §8.6", "trailing comma", post({"Content-Length: 5,"}), 400},
    {"RFC 9110 §8.6", "two differing lines", post({"Content-Length: 5", "Content-Length: 6"}), 400},
    {"RFC 9110 §8.6", "two equal lines", post({"Content-Length: 5", "Content-Length: 5"}), 400},
    {"RFC 9110 §8.6", "two lines in different case", post({"Content-Length: 5", "content-length: 0"}), 400},
    {"RFC 9110 §8.6", "second line empty", post({"Content-Length: 5", "Content-Length:"}), 400},
    // Transfer-Encoding.
    {"RFC 9112 §6.1", "chunked", post({kChunked})},
    {"RFC 9112 §7", "codings have no case", post({"transfer-encoding: ChUnKeD"})},
    {"RFC 9112 §6.1", "white space around the value", post({"Transfer-Encoding: \t chunked \t"})},
    {"RFC 9112 §6.1", "with Content-Length behind", post({kChunked, "Content-Length: 5"}), 400},
    {"RFC 9112 §6.1", "with Content-Length before", post({"Content-Length: 5", kChunked}), 400},
    {"RFC 9112 §6.1", "with an empty Content-Length", post({kChunked, "Content-Length:"}), 400},
    {"RFC 9112 §6.1", "with Content-Length: 0", post({"Content-Length: 0", kChunked}), 400},
    {"RFC 9112 §6.1", "unknown coding with Content-Length",
     post({"Content-Length: 5", "Transfer-Encoding: x"}), 400},
    {"RFC 9112 §6.1", "in HTTP/1.0", post({kChunked}, "HTTP/1.0"), 400},
    {"RFC 9112 §6.1", "in HTTP/1.0 with Content-Length", post({kChunked, "Content-Length: 5"}, "HTTP/1.0"),
     400},
    {"RFC 9112 §6.1", "two lines", post({kChunked, kChunked}), 400},
    {"RFC 9112 §6.1", "two lines, the second unknown", post({kChunked, "Transfer-Encoding: x"}), 400},
    {"RFC 9112 §6.1", "two lines, the first unknown", post({"Transfer-Encoding: identity", kChunked}), 400},
    {"RFC 9112 §6.3", "chunked not last", post({"Transfer-Encoding: chunked, identity"}), 400},
    {"RFC 9112 §6.1", "chunked twice", post({"Transfer-Encoding: chunked, chunked"}), 400},
    {"RFC 9112 §6.1", "empty value", post({"Transfer-Encoding:"}), 400},
    {"RFC 9112 §6.1", "leading comma", post({"Transfer-Encoding: ,chunked"}), 400},
    {"RFC 9112 §6.1", "trailing comma", post({"Transfer-Encoding: chunked,"}), 400},
    {"RFC 9112 §6.1", "quoted", post({"Transfer-Encoding: \"chunked\""}), 400},
    {"RFC 9112 §6.1", "single quotes are token bytes of another coding",
     post({"Transfer-Encoding: 'chunked'"}), 501},
    {"RFC 9112 §7", "with a parameter", post({"Transfer-Encoding: chunked;q=1"}), 400},
    {"RFC 9112 §6.1", "two words", post({"Transfer-Encoding: chunked identity"}), 400},
    {"RFC 9112 §6.1", "word in front", post({"Transfer-Encoding: x chunked"}), 400},
    {"RFC 9112 §6.1", "vertical tab in front", post({"Transfer-Encoding: \vchunked"}), 400},
    {"RFC 9112 §6.1", "NUL behind", post({std::string_view("Transfer-Encoding: chunked\0", 27)}), 400},
    {"RFC 9112 §6.1", "no-break space in front",
     post({"Transfer-Encoding: \xa0"
           "chunked"}),
     400},
    {"RFC 9112 §6.1", "another coding", post({"Transfer-Encoding: gzip"}), 501},
    {"RFC 9112 §6.1", "identity, which is gone", post({"Transfer-Encoding: identity"}), 501},
    {"RFC 9112 §6.1", "another coding before chunked", post({"Transfer-Encoding: gzip, chunked"}), 501},
    {"RFC 9112 §6.1", "prefix", post({"Transfer-Encoding: xchunked"}), 501},
    {"RFC 9112 §6.1", "suffix", post({"Transfer-Encoding: chunkedx"}), 501},
    {"RFC 9112 §6.1", "cut short", post({"Transfer-Encoding: chunke"}), 501},
    // Host.
    {"RFC 9112 §3.2", "none in HTTP/1.1", host({}), 400},
    {"RFC 9112 §3.2", "none in HTTP/1.0", host({}, "HTTP/1.0")},
    {"RFC 9112 §3.2", "two that differ", host({"Host: a", "Host: b"}), 400},
    {"RFC 9112 §3.2", "two that are equal", host({"Host: a", "host: a"}), 400},
    {"RFC 9112 §3.2", "two in HTTP/1.0", host({"Host: a", "Host: b"}, "HTTP/1.0"), 400},
    {"RFC 9112 §3.2", "a list", host({"Host: a, b"}), 400},
    {"RFC 9112 §3.2", "a list without space", host({"Host: a,b"}), 400},
    {"RFC 9110 §4.2.1", "empty", host({"Host:"}), 400},
    {"RFC 9110 §7.2", "name and port", host({"Host: a.example:8080"})},
    {"RFC 3986 §3.2.3", "empty port", host({"Host: a:"})},
    {"RFC 3986 §3.2.2", "trailing dot", host({"Host: a.example."})},
    {"RFC 3986 §3.2.2", "IPv4", host({"Host: 127.0.0.1"})},
    {"RFC 3986 §3.2.2", "IPv6", host({"Host: [::1]:80"})},
    {"RFC 3986 §3.2.2", "underscore, which containers have in their names", host({"Host: my_app"})},
    {"RFC 9110 §4.2.4", "user", host({"Host: me@a"}), 400},
    {"RFC 9110 §7.2", "a whole URL", host({"Host: http://a"}), 400},
    {"RFC 9110 §7.2", "a path", host({"Host: a/b"}), 400},
    {"RFC 9110 §7.2", "a query", host({"Host: a?b"}), 400},
    {"RFC 9110 §7.2", "a fragment", host({"Host: a#b"}), 400},
    {"RFC 9110 §7.2", "space inside", host({"Host: a b"}), 400},
    {"RFC 9110 §7.2", "tab inside", host({"Host: a\tb"}), 400},
    {"RFC 3986 §3.2.2", "escape", host({"Host: %61"}), 400},
    {"RFC 3986 §3.2.2", "byte above ASCII", host({"Host: \xc3\xa4"}), 400},
    {"RFC 3986 §3.2.2", "IPv6 without brackets", host({"Host: ::1"}), 400},
    {"RFC 3986 §3.2.2", "open bracket", host({"Host: [::1"}), 400},
    {"RFC 3986 §3.2.2", "name in brackets", host({"Host: [a]"}), 400},
    {"RFC 6874 §2", "zone", host({"Host: [fe80::1%25eth0]"}), 400},
    {"RFC 3986 §3.2.2", "bytes behind the bracket", host({"Host: [::1]a"}), 400},
    {"RFC 3986 §3.2.3", "port above 65535", host({"Host: a:65536"}), 400},
    {"RFC 3986 §3.2.3", "port with a sign", host({"Host: a:+80"}), 400},
    {"RFC 3986 §3.2.3", "two ports", host({"Host: a:80:80"}), 400},
    {"RFC 3986 §3.2.3", "port without a name", host({"Host: :80"}), 400},
    {"RFC 1034 §3.1", "empty label", host({"Host: a..b"}), 400},
    {"RFC 1034 §3.1", "leading dot", host({"Host: .a"}), 400},
    {"RFC 1034 §3.1", "nothing but a dot", host({"Host: ."}), 400},
    {"RFC 9112 §3.2", "Host in disguise", host({"Host: a", "Ho_st: b"})},
    // Expect.
    {"RFC 9110 §10.1.1", "100-continue in any case", post({"Content-Length: 5", "Expect: 100-Continue"})},
    {"RFC 9110 §10.1.1", "another expectation", post({"Content-Length: 5", "Expect: 200-ok"}), 417},
    {"RFC 9110 §10.1.1", "empty", post({"Content-Length: 5", "Expect:"}), 417},
    {"RFC 9110 §10.1.1", "list", post({"Content-Length: 5", "Expect: 100-continue, x"}), 417},
    {"RFC 9110 §10.1.1", "second line differs", post({"Expect: 100-continue", "Expect: x"}), 417},
};

class RequestFraming : public testing::TestWithParam<RawCase> {};

TEST_P(RequestFraming, IsReadAsTheRfcSays) {
  Arena arena;
  http::RequestHead head(arena);

  const Result<> parsed = parse_request_head(GetParam().bytes, {}, head);

  EXPECT_EQ(parsed ? 0 : parsed.error().status, GetParam().status) << (parsed ? "" : parsed.error().detail);
}
INSTANTIATE_TEST_SUITE_P(All, RequestFraming, testing::ValuesIn(kFraming));

}  // namespace
}  // namespace fairlead::codec::h1
