#include "engine/observe/metrics.h"

#include "engine/observe/exposition.h"
#include "engine/observe/test_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace fairlead::observe {
namespace {

using test::SomeFacts;
using testing::HasSubstr;
using testing::Not;

std::string text(Metrics& metrics, RequestMetrics& families, const RequestFamilies& options = {}) {
  Exposition out;
  families.write(out, metrics, options);
  return out.take();
}
std::string text(Metrics& metrics, const RequestFamilies& options = {}) {
  RequestMetrics families;
  return text(metrics, families, options);
}

TEST(Metrics, CountsUnderTraefiksNames) {
  Metrics metrics({});
  SomeFacts some;
  some.record.request_bytes = 7;

  Metrics::Block& block = metrics.add_block();
  block.count(some.facts());
  block.count(some.facts());
  const std::string out = text(metrics, {.routers = true});

  const std::string labels = "{code=\"200\",method=\"GET\",protocol=\"http\",";
  const std::string of_web = "{code=\"200\",entrypoint=\"web\",method=\"GET\",protocol=\"http\"}";
  EXPECT_THAT(out, HasSubstr("# TYPE traefik_entrypoint_requests_total counter\n"));
  EXPECT_THAT(out, HasSubstr("traefik_entrypoint_requests_total" + of_web + " 2\n"));
  EXPECT_THAT(out, HasSubstr("traefik_router_requests_total" + labels +
                             "router=\"shop@docker\",service=\"shop-svc@docker\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_requests_total" + labels + "service=\"shop-svc@docker\"} 2\n"));
  EXPECT_THAT(
      out, HasSubstr("traefik_service_requests_bytes_total" + labels + "service=\"shop-svc@docker\"} 14\n"));
  EXPECT_THAT(
      out, HasSubstr("traefik_service_responses_bytes_total" + labels + "service=\"shop-svc@docker\"} 400\n"))
      << "as the server sent it";
  EXPECT_THAT(out, HasSubstr("traefik_service_request_duration_seconds_sum" + labels +
                             "service=\"shop-svc@docker\"} 0.02\n"))
      << "without what middlewares took";
  EXPECT_THAT(out, HasSubstr("# TYPE traefik_entrypoint_request_duration_seconds histogram\n"));
  EXPECT_THAT(out, HasSubstr("traefik_entrypoint_request_duration_seconds_sum" + of_web + " 0.024\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_retries_total{service=\"shop-svc@docker\"} 0\n"));
}

TEST(Metrics, CountsForAServiceOnlyWhatReachedIt) {
  Metrics metrics({});
  SomeFacts some;
  some.record.reached_service = false;
  some.record.status = 401;

  metrics.add_block().count(some.facts());
  const std::string out = text(metrics, {.routers = true});

  EXPECT_THAT(out, HasSubstr("traefik_router_requests_total{code=\"401\",method=\"GET\",protocol=\"http\","
                             "router=\"shop@docker\",service=\"shop-svc@docker\"} 1\n"));
  EXPECT_THAT(out, Not(HasSubstr("traefik_service")));
}

TEST(Metrics, TellsTheServiceOfTheRouterFromTheChildThatServed) {
  Metrics metrics({});
  SomeFacts some;
  some.record.service = "blue@docker";

  metrics.add_block().count(some.facts());
  const std::string out = text(metrics, {.routers = true});

  EXPECT_THAT(out, HasSubstr("router=\"shop@docker\",service=\"shop-svc@docker\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_requests_total{code=\"200\",method=\"GET\",protocol=\"http\","
                             "service=\"blue@docker\"} 1\n"));
}

TEST(Metrics, CountsEachServiceThatARequestPassedAsItAnswered) {
  Metrics metrics({});
  SomeFacts some;
  some.record.tls_version = "1.3";
  some.record.service_status = 503;
  some.record.request_bytes = 7;
  some.record.begin_service("pages@docker");
  some.record.service_status = 200;
  some.record.origin_duration = std::chrono::milliseconds(2);
  some.record.origin_bytes += 40;
  some.record.status = 503;

  metrics.add_block().count(some.facts());
  const std::string out = text(metrics, {.routers = true});

  const std::string failed = "{code=\"503\",method=\"GET\",protocol=\"http\",service=\"shop-svc@docker\"}";
  const std::string page = "{code=\"200\",method=\"GET\",protocol=\"http\",service=\"pages@docker\"}";
  EXPECT_THAT(out, HasSubstr("traefik_service_requests_total" + failed + " 1\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_requests_total" + page + " 1\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_requests_bytes_total" + failed + " 7\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_responses_bytes_total" + failed + " 200\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_responses_bytes_total" + page + " 40\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_request_duration_seconds_sum" + failed + " 0.01\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_request_duration_seconds_sum" + page + " 0.002\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_requests_tls_total{service=\"pages@docker\""));
  EXPECT_THAT(out, HasSubstr("router=\"shop@docker\",service=\"shop-svc@docker\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("{code=\"503\",entrypoint=\"web\",method=\"GET\",protocol=\"http\"} 1\n"));
  EXPECT_THAT(out, Not(HasSubstr("entrypoint=\"\""))) << "a service's own row is of no entry point";
}

TEST(Metrics, CountsOfACopyOnlyWhatItsServiceDid) {
  Metrics metrics({});
  SomeFacts some;
  some.record.service_status = 500;
  some.record.tls_version = "1.3";

  metrics.add_block().count_services(some.facts());
  const std::string out = text(metrics, {.routers = true});

  EXPECT_THAT(out, HasSubstr("traefik_service_requests_total{code=\"500\",method=\"GET\",protocol=\"http\","
                             "service=\"shop-svc@docker\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("traefik_service_requests_tls_total"));
  EXPECT_THAT(out, Not(HasSubstr("traefik_router")));
  EXPECT_THAT(out, Not(HasSubstr("traefik_entrypoint")));
}

TEST(Metrics, PutsDurationsIntoCumulativeBuckets) {
  Metrics metrics({.buckets = {0.01, 0.1}, .header_names = {}});
  Metrics::Block& block = metrics.add_block();
  SomeFacts some;
  for (const int ms : {10, 11, 500}) {
    some.record.ended = some.record.begun + std::chrono::milliseconds(ms);
    block.count(some.facts());
  }

  const std::string out = text(metrics);

  EXPECT_THAT(out, HasSubstr("protocol=\"http\",le=\"0.01\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("protocol=\"http\",le=\"0.1\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("protocol=\"http\",le=\"+Inf\"} 3\n"));
}

TEST(Metrics, SumsTheBlocksOfAllWorkers) {
  Metrics metrics({});
  constexpr int kEach = 5000;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&metrics] {
      Metrics::Block& block = metrics.add_block();
      SomeFacts some;
      for (int n = 0; n < kEach; ++n) {
        some.record.status = 200 + n % 50;
        block.count(some.facts());
      }
    });
  for (int i = 0; i < 20; ++i) text(metrics);
  for (std::thread& thread : threads) thread.join();

  EXPECT_THAT(text(metrics),
              HasSubstr("{code=\"249\",entrypoint=\"web\",method=\"GET\",protocol=\"http\"} 300\n"));
}

TEST(Metrics, CountsTlsByVersionAndCipher) {
  Metrics metrics({});
  SomeFacts some;
  some.record.tls_version = "1.3";
  some.record.tls_cipher = "TLS_AES_128_GCM_SHA256";

  metrics.add_block().count(some.facts());

  EXPECT_THAT(text(metrics), HasSubstr("traefik_entrypoint_requests_tls_total{entrypoint=\"web\",tls_cipher="
                                       "\"TLS_AES_128_GCM_SHA256\",tls_version=\"1.3\"} 1\n"));
}

TEST(Metrics, CountsOnlyTheEntryPointOfAnUnmatchedRequest) {
  Metrics metrics({});
  SomeFacts some;
  some.record.router = some.record.service = {};
  some.record.status = 404;

  metrics.add_block().count(some.facts());
  const std::string out = text(metrics, {.routers = true});

  EXPECT_THAT(out, HasSubstr("{code=\"404\",entrypoint=\"web\",method=\"GET\",protocol=\"http\"} 1\n"));
  EXPECT_THAT(out, Not(HasSubstr("traefik_router")));
  EXPECT_THAT(out, Not(HasSubstr("traefik_service")));
}

TEST(Metrics, LeavesOutInternalsUnlessAsked) {
  SomeFacts some;
  some.record.internal = true;
  Metrics without({});
  Metrics with({.header_names = {}, .internals = true});

  without.add_block().count(some.facts());
  with.add_block().count(some.facts());

  EXPECT_EQ(text(without), "");
  EXPECT_NE(text(with), "");
}

TEST(Metrics, ShowsSeriesOfARemovedServiceOnceMoreThenNeverAndKeepsTheEntryPoints) {
  Metrics metrics({});
  metrics.add_block().count(SomeFacts().facts());
  RequestMetrics families;
  RequestFamilies options;
  options.service_exists = [](std::string_view) { return false; };

  const std::string first = text(metrics, families, options);
  const std::string second = text(metrics, families, options);

  EXPECT_THAT(first, HasSubstr("traefik_service_requests_total"));
  EXPECT_THAT(second, Not(HasSubstr("traefik_service_requests_total")));
  EXPECT_THAT(second, HasSubstr("traefik_entrypoint_requests_total"));
}

TEST(Metrics, ForgetsManyRemovedServicesWithoutLosingACount) {
  Metrics metrics({});
  Metrics::Block& block = metrics.add_block();
  SomeFacts some;
  constexpr int kServices = 1000;
  for (int i = 0; i < kServices; ++i) {
    const std::string name = "s" + std::to_string(i) + "@docker";
    some.record.router = some.record.service = name;
    block.count(some.facts());
  }
  RequestMetrics families;
  RequestFamilies options;
  options.service_exists = options.router_exists = [](std::string_view name) { return name == "new@docker"; };
  text(metrics, families, options);
  text(metrics, families, options);
  some.record.router = some.record.service = "new@docker";
  block.count(some.facts());

  std::size_t rows = 0;
  metrics.collect([&](const MetricRow&) { return ++rows > 0; });
  EXPECT_EQ(rows, 2U);
  EXPECT_THAT(text(metrics, families, options),
              HasSubstr("entrypoint=\"web\",method=\"GET\",protocol=\"http\"} 1001\n"));
}

TEST(Metrics, AddsLabelsFromHeadersToTheRequestCountOnly) {
  Metrics metrics({.header_names = {"X-Tenant"}});
  SomeFacts some;
  some.request.add("X-Tenant", "a\"1");

  metrics.add_block().count(some.facts());
  const std::string out = text(metrics, {.header_labels = {"tenant"}});

  EXPECT_THAT(out, HasSubstr("protocol=\"http\",tenant=\"a\\\"1\"} 1\n"));
  EXPECT_THAT(out,
              HasSubstr("traefik_entrypoint_request_duration_seconds_count{code=\"200\",entrypoint=\"web\","
                        "method=\"GET\",protocol=\"http\"} 1\n"));
}

TEST(Metrics, KeepsThePageReadableWhateverAHeaderHolds) {
  Metrics metrics({.header_names = {"X-Tenant"}});
  Metrics::Block& block = metrics.add_block();
  SomeFacts some;
  some.request.set("X-Tenant", "a\xff");
  block.count(some.facts());
  some.request.set("X-Tenant", std::string(255, 'b') + "\xc3\xbc");
  block.count(some.facts());

  const std::string out = text(metrics, {.header_labels = {"tenant"}});

  EXPECT_THAT(out, HasSubstr("tenant=\"a\xef\xbf\xbd\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("tenant=\"" + std::string(255, 'b') + "\"} 1\n")) << "cut before the character";
}

TEST(Metrics, ValuesOfHeadersCostNoRouterItsCounters) {
  Metrics metrics({.header_names = {"X-Tenant"}});
  Metrics::Block& block = metrics.add_block();
  SomeFacts some;
  for (std::size_t i = 0; i < Metrics::kMaxRows + 10; ++i) {
    some.request.set("X-Tenant", std::to_string(i));
    block.count(some.facts());
  }
  some.record.router = "late@docker";
  some.record.service = "late-svc@docker";
  some.record.status = some.record.service_status = 503;
  block.count(some.facts());
  some.request.remove("X-Tenant");
  block.count(some.facts());

  std::size_t rows = 0;
  metrics.collect([&](const MetricRow&) { return ++rows > 0; });
  EXPECT_EQ(rows, Metrics::kMaxHeaderRows + 2);
  EXPECT_THAT(text(metrics, {.header_labels = {"tenant"}}),
              HasSubstr("traefik_service_requests_total{code=\"503\",method=\"GET\",protocol=\"http\","
                        "service=\"late-svc@docker\",tenant=\"\"} 2\n"));
}

TEST(Metrics, NamesProtocolsMethodsAndGrpcCodes) {
  SomeFacts some;
  Facts facts = some.facts();
  EXPECT_EQ(metric_protocol(facts), "http");
  facts.upgrade = "WebSocket";
  EXPECT_EQ(metric_protocol(facts), "websocket");
  facts.upgrade = {};
  some.request.add("Accept", "text/html, Text/Event-Stream");
  EXPECT_EQ(metric_protocol(facts), "sse");
  some.request.set("Accept", "text/event-streams");
  EXPECT_EQ(metric_protocol(facts), "http");
  some.request.add("Content-Type", "application/grpc-web+proto");
  EXPECT_EQ(metric_protocol(facts), "grpc-web");
  some.request.set("Content-Type", "application/grpc");
  EXPECT_EQ(metric_protocol(facts), "grpc");
  EXPECT_EQ(metric_code(facts, "grpc"), 2);
  some.response.add("grpc-status", "5");
  EXPECT_EQ(metric_code(facts, "grpc"), 5);
  EXPECT_EQ(metric_code(facts, "http"), 200);
  EXPECT_EQ(metric_method("PATCH"), "PATCH");
  EXPECT_EQ(metric_method("PROPFIND"), "EXTENSION_METHOD");
}

}  // namespace
}  // namespace fairlead::observe
