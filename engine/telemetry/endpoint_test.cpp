#include "engine/telemetry/endpoint.h"

#include <gtest/gtest.h>

namespace fairlead::telemetry {
namespace {

std::string http_url(const std::string& endpoint, Signal signal = Signal::Traces) {
  model::OtlpHttp http;
  http.endpoint = endpoint;
  const auto made = make_endpoint(std::nullopt, http, signal);
  return made ? made->url : made.error().path + ": " + made.error().what;
}

TEST(Endpoint, OfHttpGetsThePathOfItsSignalWhenItHasNone) {
  EXPECT_EQ(http_url("http://collector:4318"), "http://collector:4318/v1/traces");
  EXPECT_EQ(http_url("https://collector:4318/", Signal::Metrics), "https://collector:4318/v1/metrics");
  EXPECT_EQ(http_url("http://[::1]:4318", Signal::Logs), "http://[::1]:4318/v1/logs");
  EXPECT_EQ(http_url("http://collector/custom?a=b"), "http://collector/custom?a=b");
}

TEST(Endpoint, IsTheDefaultOneWhenNothingIsSaid) {
  const auto made = make_endpoint(std::nullopt, std::nullopt, Signal::Traces);

  ASSERT_TRUE(made);
  EXPECT_EQ(made->url, "https://localhost:4318/v1/traces");
  EXPECT_FALSE(made->grpc);
}

TEST(Endpoint, OfGrpcWins) {
  model::OtlpGrpc grpc;
  grpc.endpoint = "collector:4317";
  grpc.insecure = true;
  const auto plain = make_endpoint(grpc, model::OtlpHttp{}, Signal::Logs);
  grpc.insecure = false;
  const auto secure = make_endpoint(grpc, std::nullopt, Signal::Traces);

  ASSERT_TRUE(plain && secure);
  EXPECT_TRUE(plain->grpc);
  EXPECT_EQ(plain->url, "http://collector:4317/opentelemetry.proto.collector.logs.v1.LogsService/Export");
  EXPECT_EQ(secure->url, "https://collector:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export");
}

TEST(Endpoint, NamesTheOptionThatIsWrong) {
  EXPECT_EQ(http_url("collector:4318"), "http.endpoint: \"collector:4318\" is no http or https URL");
  EXPECT_EQ(http_url("http://me:hidden@collector:4318"),
            "http.endpoint: a user name would not be sent: leave it out of the URL, and set Authorization in "
            "http.headers");
  EXPECT_EQ(http_url("ftp://collector"), "http.endpoint: \"ftp://collector\" is no http or https URL");
  EXPECT_EQ(http_url("ftp://me:hidden@collector"),
            "http.endpoint: \"ftp://xxxx@collector\" is no http or https URL");
  model::OtlpGrpc grpc;
  grpc.endpoint = "http://collector:4317";
  EXPECT_EQ(make_endpoint(grpc, std::nullopt, Signal::Traces).error().path, "grpc.endpoint");
  model::OtlpHttp http;
  http.headers["X-Key"] = "a\r\nX-Other: b";
  EXPECT_EQ(make_endpoint(std::nullopt, http, Signal::Traces).error().path, "http.headers");
}

TEST(Endpoint, KeepsHeadersWithAndWithoutValues) {
  model::OtlpHttp http;
  http.headers = {{"Authorization", "Bearer x"}, {"X-Empty", ""}};

  EXPECT_EQ(make_endpoint(std::nullopt, http, Signal::Traces)->headers,
            (std::vector<std::string>{"Authorization: Bearer x", "X-Empty;"}));
}

}  // namespace
}  // namespace fairlead::telemetry
