// Cost of finding a router, and of building the table, against the number of routers.
#include "engine/routing/http_router.h"
#include "engine/routing/rule_parser.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace fairlead;
using namespace fairlead::routing;

std::string host_name(std::uint32_t i) { return fmt::format("app-{}.customer-{}.example.com", i, i % 977); }

void add(HttpRouter::Builder& builder, const std::string& text, std::uint32_t index) {
  const Rule rule = parse_rule(text, Protocol::Http).value();
  builder.add(rule, {.priority = rule.default_priority(), .precedence = 0, .order = index}, index);
}

HttpRouter host_routers(std::uint32_t count) {
  HttpRouter::Builder builder;
  for (std::uint32_t i = 0; i < count; ++i) add(builder, fmt::format("Host(`{}`)", host_name(i)), i);
  return std::move(builder).build();
}

HttpRouter prefix_routers(std::uint32_t count) {
  HttpRouter::Builder builder;
  for (std::uint32_t i = 0; i < count; ++i)
    add(builder, fmt::format("Host(`one.example.com`) && PathPrefix(`/app-{}/`)", i), i);
  return std::move(builder).build();
}

struct Request {
  explicit Request(std::string host, std::string path) {
    head.method = "GET";
    head.host = std::move(host);
    head.path = std::move(path);
  }
  Arena arena;
  http::RequestHead head{arena};
};

// Every request to another host, in random order, so that caches help no more than they do in service.
void match_by_host(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  const HttpRouter router = host_routers(count);
  std::mt19937 random(1);
  std::vector<std::unique_ptr<Request>> requests;
  for (int i = 0; i < 4096; ++i)
    requests.push_back(
        std::make_unique<Request>(host_name(static_cast<std::uint32_t>(random() % count)), "/index.html"));
  Scratch scratch;
  const MatchContext context{ClientAddress::v4({10, 0, 0, 1}), scratch};
  std::size_t i = 0;
  for (auto step : state) {
    (void)step;
    benchmark::DoNotOptimize(router.match(requests[i++ & 4095]->head, context));
  }
  state.counters["KiB"] = static_cast<double>(router.held_bytes()) / 1024;
}
BENCHMARK(match_by_host)->Arg(10)->Arg(1'000)->Arg(10'000)->Arg(100'000);

void match_by_prefix(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  const HttpRouter router = prefix_routers(count);
  Request request("one.example.com", fmt::format("/app-{}/index.html", count / 2));
  Scratch scratch;
  const MatchContext context{ClientAddress::v4({10, 0, 0, 1}), scratch};
  for (auto step : state) {
    (void)step;
    benchmark::DoNotOptimize(router.match(request.head, context));
  }
}
BENCHMARK(match_by_prefix)->Arg(10)->Arg(16)->Arg(17)->Arg(1'000)->Arg(10'000);

void parse(benchmark::State& state) {
  for (auto step : state) {
    (void)step;
    benchmark::DoNotOptimize(
        parse_rule("Host(`a.example.com`) && (PathPrefix(`/api`) || Method(`POST`))", Protocol::Http));
  }
}
BENCHMARK(parse);

void parse_and_build(benchmark::State& state) {
  for (auto step : state) {
    (void)step;
    benchmark::DoNotOptimize(host_routers(static_cast<std::uint32_t>(state.range(0))));
  }
}
BENCHMARK(parse_and_build)->Arg(10)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
