#include "engine/observe/semantic_metrics.h"

#include "engine/observe/exposition.h"
#include "engine/observe/test_facts.h"

#include <gtest/gtest.h>

namespace fairlead::observe {
namespace {

std::string shown(Metrics& metrics) {
  Exposition out;
  write_semantic_durations(out, metrics);
  return out.take();
}

MetricOptions options() {
  MetricOptions out;
  out.buckets = {0.011, 1.0};
  out.semantic = true;
  return out;
}

TEST(SemanticMetrics, TellServersAndClientsApart) {
  Metrics metrics(options());
  test::SomeFacts some;
  some.record.server_duration = std::chrono::milliseconds(10);
  metrics.add_block().count(some.facts());

  const std::string text = shown(metrics);

  EXPECT_NE(text.find("http.server.request.duration_bucket{http.request.method=\"GET\","
                      "http.response.status_code=\"200\",network.protocol.name=\"http\","
                      "network.protocol.version=\"1.1\",url.scheme=\"http\",le=\"1\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("http.client.request.duration_bucket{http.request.method=\"GET\","
                      "http.response.status_code=\"200\",server.address=\"172.17.0.2\",server.port=\"80\","
                      "le=\"0.011\"} 1\n"),
            std::string::npos)
      << text;
}

TEST(SemanticMetrics, NameTheErrorWhereTheConventionsDo) {
  Metrics metrics(options());
  Metrics::Block& block = metrics.add_block();
  test::SomeFacts some;
  some.record.status = some.record.service_status = 404;
  block.count(some.facts());
  some.record.status = some.record.service_status = 502;
  some.record.server_answered = false;
  some.record.method = "BREW";
  block.count(some.facts());

  const std::string text = shown(metrics);

  EXPECT_NE(text.find("http.server.request.duration_count{http.request.method=\"GET\","
                      "http.response.status_code=\"404\",network.protocol.name=\"http\","
                      "network.protocol.version=\"1.1\",url.scheme=\"http\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("server.port=\"80\",error.type=\"404\"} 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("{http.request.method=\"_OTHER\",http.response.status_code=\"502\""), std::string::npos)
      << text;
  EXPECT_EQ(text.find("http.client.request.duration_count{http.request.method=\"_OTHER\""), std::string::npos)
      << "no server answered";
}

TEST(SemanticMetrics, OfCallsHaveTheStatusOfHttp) {
  Metrics metrics(options());
  test::SomeFacts some;
  some.request.add("Content-Type", "application/grpc");
  some.response.add("Grpc-Status", "14");
  metrics.add_block().count(some.facts());

  EXPECT_NE(shown(metrics).find("http.response.status_code=\"200\""), std::string::npos);
}

TEST(SemanticMetrics, SumWhatDiffersElsewhereOnly) {
  Metrics metrics(options());
  Metrics::Block& block = metrics.add_block();
  test::SomeFacts some;
  block.count(some.facts());
  some.record.router = "other@docker";
  block.count(some.facts());

  EXPECT_NE(shown(metrics).find("url.scheme=\"http\"} 2\n"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::observe
