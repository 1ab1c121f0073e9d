#include "engine/model/api_json.h"

#include "engine/model/static.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fairlead::model {
namespace {

using Json = nlohmann::ordered_json;

const Usage kNothing;

ApiContext context() { return {.usage = kNothing, .middleware_options = nullptr, .server_up = nullptr}; }

TEST(ApiJson, ShowsTheStateOfEachServerAndWhy) {
  Element<HttpService> service;
  service.options.load_balancer.emplace().servers = {
      Server{.url = "http://10.0.0.2", .scheme = "", .port = "", .weight = std::nullopt}};
  const std::vector<Standing> standings = {
      {.name = "container a", .url = "http://10.0.0.2"},
      {.name = "container b",
       .url = "http://10.0.0.3",
       .state = ServerState::Starting,
       .reasons = {{ReasonKind::Unhealthy, "unhealthy since 12:03", "", false}}}};

  const Json json = Json::parse(api_json("app@docker", service, &standings, context()));

  EXPECT_EQ(json["serverStatus"]["http://10.0.0.2"], "UP");
  EXPECT_EQ(json["serverStatus"]["http://10.0.0.3"], "DOWN");
  EXPECT_EQ(json["standings"][1]["state"], "starting");
  EXPECT_EQ(json["standings"][1]["reasons"][0]["text"], "unhealthy since 12:03");
  EXPECT_EQ(json["type"], "loadbalancer");
  EXPECT_EQ(json["provider"], "docker");
}

TEST(ApiJson, PrefersWhatHealthChecksSay) {
  Element<HttpService> service;
  service.options.load_balancer.emplace().servers = {
      Server{.url = "http://10.0.0.2", .scheme = "", .port = "", .weight = std::nullopt}};
  ApiContext with_checks = context();
  with_checks.server_up = [](std::string_view, std::string_view) { return false; };

  const Json json = Json::parse(api_json("app@file", service, nullptr, with_checks));

  EXPECT_EQ(json["serverStatus"]["http://10.0.0.2"], "DOWN");
}

TEST(ApiJson, NamesTheProviderOfTheMiddlewaresOfRoutersAndChainsAndOfNothingElseOfItsOwn) {
  Element<HttpRouter> router;
  router.options.service = "app@docker";
  router.options.middlewares = {"auth@docker", "strip@file"};
  Element<Middleware> chain;
  chain.options.type = "chain";
  ApiContext with_options = context();
  with_options.middleware_options = [](const Middleware&, Layer) {
    return std::string(R"({"middlewares":["auth@docker","strip@file"]})");
  };
  const Json both = {"auth@docker", "strip@file"};

  const Json shown = Json::parse(api_json("web@docker", router, context()));
  const Json shown_chain = Json::parse(api_json("both@docker", chain, Layer::Http, with_options));

  EXPECT_EQ(shown["service"], "app");
  EXPECT_EQ(shown["middlewares"], both);
  EXPECT_EQ(shown_chain["chain"]["middlewares"], both);
}

TEST(ApiJson, KeepsTheOptionsOfAMiddlewareToItselfWhereNobodyKnowsTheSecretOnes) {
  Element<Middleware> middleware;
  middleware.options.type = "basicAuth";
  middleware.options.options = schema::Node::map();
  middleware.options.options.add("users", schema::Node::scalar("ann:secret"));

  const std::string text = api_json("auth@docker", middleware, Layer::Http, context());

  EXPECT_EQ(text.find("secret"), std::string::npos);
  EXPECT_EQ(Json::parse(text)["type"], "basicauth");
}

TEST(ApiJson, ShowsTheReadTimeoutThatIsInEffect) {
  EntryPoint entry_point;
  entry_point.address = ":80";

  EXPECT_EQ(Json::parse(api_json("web", entry_point))["transport"]["respondingTimeouts"]["readTimeout"],
            "1m0s");
}

TEST(ApiJson, ShowsWhatIsRecordedOfARouterWithItsDefaults) {
  Element<HttpRouter> router;
  router.options.observability.emplace().metrics = false;

  EXPECT_EQ(
      Json::parse(api_json("web@docker", router, context()))["observability"],
      Json({{"accessLogs", true}, {"metrics", false}, {"tracing", true}, {"traceVerbosity", "minimal"}}));
}

TEST(ApiJson, SurvivesTextThatIsNoUtf8) {
  Element<HttpRouter> router;
  router.options.rule = "Host(`\xff`)";
  router.break_off(ReasonKind::BadOption, "bad \xfe");

  const Json json = Json::parse(api_json("web@docker", router, context()));

  EXPECT_EQ(json["status"], "disabled");
}

TEST(ApiJson, CountsWarningsAndErrors) {
  Dynamic d;
  d.http.routers["a"];
  d.http.routers["b"].warn(ReasonKind::Deprecated, "old");
  d.http.routers["c"].break_off(ReasonKind::BadOption, "bad");

  const Json json = Json::parse(overview_json(d, Static{}, context()));

  EXPECT_EQ(json["http"]["routers"]["total"], 3);
  EXPECT_EQ(json["http"]["routers"]["warnings"], 1);
  EXPECT_EQ(json["http"]["routers"]["errors"], 1);
}

}  // namespace
}  // namespace fairlead::model
