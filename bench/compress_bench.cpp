// What a compressed answer costs: 100 kB of HTML-like text, in chunks of 64 KiB, for each encoding. The
// counter "ratio" is compressed to plain size.
#include "engine/middleware/compressor.h"

#include <benchmark/benchmark.h>

#include <string>

namespace {

using namespace fairlead::middleware;

std::string page() {
  std::string text;
  unsigned state = 1;
  while (text.size() < 100'000) {
    state = state * 1664525 + 1013904223;
    text += "<li class=\"item\"><a href=\"/products/" + std::to_string(state >> 12) + "\">Product number " +
            std::to_string(state >> 20) + " of our shop, in stock</a></li>\n";
  }
  return text;
}

void encode(benchmark::State& state, Coding coding) {
  const std::string text = page();
  std::size_t bytes = 0;
  for (auto _ : state) {
    const CompressorPtr compressor = make_compressor(coding);
    std::string out;
    compressor->write(std::string_view(text).substr(0, 65'536), Compressor::Then::GoOn, out);
    compressor->write(std::string_view(text).substr(65'536), Compressor::Then::Finish, out);
    bytes = out.size();
    benchmark::DoNotOptimize(out);
  }
  state.counters["ratio"] = static_cast<double>(bytes) / static_cast<double>(text.size());
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(encode, gzip, Coding::Gzip);
BENCHMARK_CAPTURE(encode, brotli, Coding::Brotli);
BENCHMARK_CAPTURE(encode, zstd, Coding::Zstd);

}  // namespace

BENCHMARK_MAIN();
