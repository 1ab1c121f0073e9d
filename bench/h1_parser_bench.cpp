// What a small request costs in the HTTP/1 parser and writer: aims at less than 150 ns per 300-byte head.
#include "engine/codec/h1/chunked.h"
#include "engine/codec/h1/request_parser.h"
#include "engine/codec/h1/response_parser.h"
#include "engine/codec/h1/writer.h"
#include "engine/http/canonical.h"

#include <benchmark/benchmark.h>

#include <array>

namespace {

using namespace fairlead;

// 300 bytes, as a browser or a load generator sends them.
constexpr std::string_view kRequest =
    "GET /shop/cart?id=7&view=full HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101\r\n"
    "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en\r\n"
    "Cookie: session=0123456789abcdef\r\n"
    "\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: origin/1.0\r\n"
    "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: 100\r\n"
    "Cache-Control: no-cache\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void FindHeadEnd(benchmark::State& state) {
  for (auto _ : state) {
    std::size_t scanned = 0;
    benchmark::DoNotOptimize(codec::h1::find_head_end(kRequest, scanned));
  }
}
BENCHMARK(FindHeadEnd);

void ParseRequestHead(benchmark::State& state) {
  Arena arena;
  http::RequestHead head(arena);
  codec::h1::RequestFacts facts;
  for (auto _ : state) {
    head.clear();
    benchmark::DoNotOptimize(codec::h1::parse_request_head(kRequest, {}, head, &facts).has_value());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kRequest.size()));
}
BENCHMARK(ParseRequestHead);

void ParseResponseHead(benchmark::State& state) {
  Arena arena;
  http::ResponseHead head(arena);
  codec::h1::ResponseFacts facts;
  for (auto _ : state) {
    head.clear();
    benchmark::DoNotOptimize(
        codec::h1::parse_response_head(kResponse, codec::h1::kResponseLimits, "GET", head, &facts)
            .has_value());
  }
}
BENCHMARK(ParseResponseHead);

void Canonicalize(benchmark::State& state) {
  Arena arena;
  http::RequestHead head(arena);
  (void)codec::h1::parse_request_head(kRequest, {}, head);
  for (auto _ : state) benchmark::DoNotOptimize(http::canonicalize(head, {}).has_value());
}
BENCHMARK(Canonicalize);

void WriteRequestHead(benchmark::State& state) {
  Arena arena;
  http::RequestHead head(arena);
  (void)codec::h1::parse_request_head(kRequest, {}, head);
  std::array<char, 1024> out;
  for (auto _ : state) {
    if (codec::h1::request_head_size(head, head.authority, {}) > out.size()) state.SkipWithError("too large");
    benchmark::DoNotOptimize(codec::h1::write_request_head(out.data(), head, head.authority, {}));
  }
}
BENCHMARK(WriteRequestHead);

void WriteResponseHead(benchmark::State& state) {
  Arena arena;
  http::ResponseHead head(arena);
  (void)codec::h1::parse_response_head(kResponse, codec::h1::kResponseLimits, "GET", head);
  const codec::h1::Framing framing{.body = codec::h1::BodyFraming::Length, .length = 100};
  std::array<char, 1024> out;
  for (auto _ : state) {
    if (codec::h1::response_head_size(head, framing) > out.size()) state.SkipWithError("too large");
    benchmark::DoNotOptimize(codec::h1::write_response_head(out.data(), head, framing));
  }
}
BENCHMARK(WriteResponseHead);

void DecodeSmallChunkedBody(benchmark::State& state) {
  constexpr std::string_view kBody = "10\r\n0123456789abcdef\r\n0\r\n\r\n";
  for (auto _ : state) {
    codec::h1::ChunkedDecoder decoder;
    benchmark::DoNotOptimize(decoder.feed(kBody)->done);
  }
}
BENCHMARK(DecodeSmallChunkedBody);

}  // namespace

BENCHMARK_MAIN();
