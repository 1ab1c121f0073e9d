// What choosing a server costs. Targets: round robin and p2c independent of the number of servers, every
// strategy under 20 µs with 1,000 servers.
#include "engine/exchange/test_exchange.h"
#include "engine/service/failover.h"
#include "engine/service/picker.h"
#include "engine/service/weighted.h"

#include <benchmark/benchmark.h>

namespace {

using namespace fairlead;

upstream::ServerSet set_of(std::int64_t count) {
  upstream::ServerSet set;
  set.state = std::make_shared<upstream::ServiceState>();
  std::vector<int> weights;
  for (std::int64_t i = 0; i < count; ++i) {
    upstream::Server server;
    server.address = *upstream::ServerAddress::parse("http://10.0." + std::to_string(i / 250) + "." +
                                                     std::to_string(i % 250 + 1) + ":8080");
    server.weight = static_cast<int>(1 + i % 3);
    server.state = std::make_shared<upstream::ServerState>();
    server.state->response_times.add(std::chrono::microseconds(500 + i));
    weights.push_back(server.weight);
    set.servers.push_back(std::move(server));
  }
  set.schedule = upstream::make_schedule(weights);
  return set;
}

void Pick(benchmark::State& state, const char* strategy) {
  const upstream::ServerSet set = set_of(state.range(0));
  const auto picker = service::make_picker(strategy);
  auto x = test::get("/");
  for (auto _ : state) benchmark::DoNotOptimize(picker->pick(set, x, {}));
}
BENCHMARK_CAPTURE(Pick, wrr, "wrr")->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Pick, p2c, "p2c")->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Pick, hrw, "hrw")->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Pick, leasttime, "leasttime")->Arg(10)->Arg(1000);

// The same with a cookie: one look-up by hash.
void PickByCookie(benchmark::State& state) {
  std::vector<std::string> urls;
  for (const upstream::Server& server : set_of(state.range(0)).servers) urls.push_back(server.address.url);
  const upstream::Sticky sticky("shop@file", http::SetCookie{.name = "pin"}, urls);
  auto x = test::get("/");
  x.header("Cookie", "a=b; pin=" + upstream::Sticky::value_of(urls.back()));
  for (auto _ : state) benchmark::DoNotOptimize(sticky.find(x.request.fields));
}
BENCHMARK(PickByCookie)->Arg(10)->Arg(1000);

// A whole pass through a composite of services that answer at once.
template <class Composite, class... More>
void Compose(benchmark::State& state, More... more) {
  class Empty final : public exchange::Service {
   public:
    Task<exchange::Response> serve(exchange::Exchange& x) const override {
      return Task<exchange::Response>::ready(exchange::Response(x.arena()));
    }
  };
  std::vector<service::Child> children;
  for (std::int64_t i = 0; i < state.range(0); ++i)
    children.push_back({"service-" + std::to_string(i), 1, std::make_shared<Empty>(), nullptr});
  const Composite composite(children, more...);
  auto x = test::get("/");
  for (auto _ : state) {
    Task<exchange::Response> task = composite.serve(x);
    if (!task.done()) task.start(nullptr);
    benchmark::DoNotOptimize(task.take().head.status);
  }
}
void Weighted(benchmark::State& state) {
  Compose<service::Weighted>(state, std::make_shared<upstream::ServiceState>(),
                             std::shared_ptr<const upstream::Sticky>());
}
BENCHMARK(Weighted)->Arg(2)->Arg(100)->Arg(1000);
void HighestRandomWeight(benchmark::State& state) { Compose<service::HighestRandomWeight>(state); }
BENCHMARK(HighestRandomWeight)->Arg(2)->Arg(100)->Arg(1000);

// Servers that are down are passed over: at worst all but one.
void PickTheOnlyOneUp(benchmark::State& state, const char* strategy) {
  const upstream::ServerSet set = set_of(state.range(0));
  for (std::size_t i = 0; i + 1 < set.servers.size(); ++i)
    set.servers[i].state->health.fail({.reason = "down"});
  const auto picker = service::make_picker(strategy);
  auto x = test::get("/");
  for (auto _ : state) benchmark::DoNotOptimize(picker->pick(set, x, {}));
}
BENCHMARK_CAPTURE(PickTheOnlyOneUp, wrr, "wrr")->Arg(1000);
BENCHMARK_CAPTURE(PickTheOnlyOneUp, p2c, "p2c")->Arg(1000);
BENCHMARK_CAPTURE(PickTheOnlyOneUp, hrw, "hrw")->Arg(1000);
BENCHMARK_CAPTURE(PickTheOnlyOneUp, leasttime, "leasttime")->Arg(1000);

// A failover whose main service is up, or down.
void FailOver(benchmark::State& state) {
  class Empty final : public exchange::Service {
   public:
    Task<exchange::Response> serve(exchange::Exchange& x) const override {
      return Task<exchange::Response>::ready(exchange::Response(x.arena()));
    }
  };
  class Fixed final : public service::Status {
   public:
    explicit Fixed(bool up) : up_(up) {}
    bool up(const upstream::Pools&) const override { return up_; }

   private:
    bool up_;
  };
  const service::Child main{"main", 1, std::make_shared<Empty>(),
                            std::make_shared<Fixed>(state.range(0) != 0)};
  const service::Child fallback{"fallback", 1, std::make_shared<Empty>(), std::make_shared<Fixed>(true)};
  const service::Failover failover(main, fallback, std::nullopt);
  auto x = test::get("/");
  for (auto _ : state) {
    Task<exchange::Response> task = failover.serve(x);
    if (!task.done()) task.start(nullptr);
    benchmark::DoNotOptimize(task.take().head.status);
  }
}
BENCHMARK(FailOver)->Arg(1)->Arg(0);

// Whether a set of many servers that are all down can serve: what a failover or a weighted service asks.
void AnyUsable(benchmark::State& state) {
  const upstream::ServerSet set = set_of(state.range(0));
  for (const upstream::Server& server : set.servers) server.state->health.fail({.reason = "down"});
  for (auto _ : state) benchmark::DoNotOptimize(set.any_usable());
}
BENCHMARK(AnyUsable)->Arg(10)->Arg(1000);

}  // namespace

BENCHMARK_MAIN();
