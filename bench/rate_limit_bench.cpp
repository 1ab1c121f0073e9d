// One decision of rateLimit: on one hot source from several workers, and over many sources.
#include "engine/middleware/token_buckets.h"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

using namespace fairlead;
using middleware::TokenBuckets;
using namespace std::chrono_literals;

const middleware::BucketRules kRules{.interval = 10us, .burst = 100, .max_delay = 5us, .forget_after = 2s};

void one_hot_source(benchmark::State& state) {
  static TokenBuckets buckets(kRules);
  TimePoint now{1h};
  for (auto _ : state) {
    now += 100ns;
    benchmark::DoNotOptimize(buckets.take("192.0.2.7", now));
  }
}
BENCHMARK(one_hot_source)->Threads(1)->Threads(2)->Threads(4)->UseRealTime();

void many_sources(benchmark::State& state) {
  static TokenBuckets buckets(kRules);
  std::vector<std::string> sources;
  for (int i = 0; i < 30'000; ++i) sources.push_back("2001:db8::" + std::to_string(i));
  TimePoint now{1h};
  std::size_t i = 0;
  for (auto _ : state) {
    now += 100ns;
    benchmark::DoNotOptimize(buckets.take(sources[i++ % sources.size()], now));
  }
}
BENCHMARK(many_sources)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
