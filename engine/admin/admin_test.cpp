#include "engine/admin/api.h"
#include "engine/admin/internal.h"
#include "engine/admin/prometheus.h"
#include "engine/exchange/test_exchange.h"
#include "engine/model/internal.h"
#include "engine/tls/test_certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

namespace fairlead::admin {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

std::string unzip(std::string_view gzip) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(gzip.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

class Admin : public testing::Test {
 protected:
  Admin() {
    install_->api.emplace();
    install_->ping.emplace();
    install_->entry_points["web"].address = ":80";
    install_->entry_points["traefik"].address = ":8080";
    for (const char* name : {"b@docker", "a@docker", "c@file", "a/b@file"}) {
      auto& router = dynamic_->http.routers[name];
      router.options.rule = std::string("Host(`") + name[0] + ".example.com`)";
      router.options.service = "shop@docker";
      router.options.middlewares = {"auth@docker"};
    }
    dynamic_->http.routers["b@docker"].break_off(model::ReasonKind::MissingReference, "no such service",
                                                 "did you mean?");
    dynamic_->http.routers["c@file"].options.priority = 500;
    auto& service = dynamic_->http.services["shop@docker"].options.load_balancer.emplace();
    service.servers.emplace_back().url = "http://172.17.0.2:80";
    auto& auth = dynamic_->http.middlewares["auth@docker"].options;
    auth.type = "basicAuth";
    auth.options = schema::Node::map();
    auth.options.child("users").push(schema::Node::scalar("test:secret-hash"));
    sources_->version = "1.2.3";
    sources_->codename = "knot";
    sources_->view = [this]() -> std::shared_ptr<const AdminView> {
      return std::make_shared<AdminView>(AdminView{.install = install_,
                                                   .dynamic = dynamic_,
                                                   .usage = model::usage_of(*dynamic_, *install_),
                                                   .reloads = 3,
                                                   .applied = {}});
    };
  }

  struct Answer {
    int status;
    std::string body;
    std::string type;
    std::string next_page;
    std::string location;
  };
  Answer ask(std::string_view service, test::TestExchange& x) const {
    const auto answering = internal_service(service, sources_);
    Task<exchange::Response> task = answering->serve(x);
    if (!task.done()) task.start(nullptr);
    for (int i = 0; i < 60'000 && !task.done(); ++i) x.loop.run_once(std::chrono::milliseconds(1));
    const exchange::Response response = task.take();
    const http::Fields& fields = response.head.fields;
    return {response.head.status, test::text_of(response.body), std::string(fields.get("Content-Type")),
            std::string(fields.get("X-Next-Page")), std::string(fields.get("Location"))};
  }
  Answer ask(std::string_view service, std::string_view target) const {
    test::TestExchange x("GET", target);
    return ask(service, x);
  }
  Answer api(std::string_view target) const { return ask("api@internal", target); }
  std::vector<std::string> names(std::string_view target) const {
    std::vector<std::string> out;
    for (const Json& item : Json::parse(api(target).body)) out.push_back(item["name"]);
    return out;
  }

  std::shared_ptr<model::Static> install_ = std::make_shared<model::Static>();
  std::shared_ptr<model::Dynamic> dynamic_ = std::make_shared<model::Dynamic>();
  std::shared_ptr<Sources> sources_ = std::make_shared<Sources>();
};

using Names = std::vector<std::string>;

TEST_F(Admin, ListsRoutersByNameAsJson) {
  const Answer answer = api("/api/http/routers");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.type, "application/json");
  EXPECT_EQ(answer.next_page, "1");
  EXPECT_EQ(names("/api/http/routers"), (Names{"a/b@file", "a@docker", "b@docker", "c@file"}));
}

TEST_F(Admin, ShowsOneElementByItsEncodedName) {
  EXPECT_EQ(Json::parse(api("/api/http/routers/a@docker").body)["rule"], "Host(`a.example.com`)");
  EXPECT_EQ(Json::parse(api("/api/http/routers/a%2Fb@file").body)["name"], "a/b@file");
  EXPECT_EQ(Json::parse(api("/api/http/services/shop%40docker").body)["serverStatus"]["http://172.17.0.2:80"],
            "UP");
}

TEST_F(Admin, SaysWhatKeepsARouterFromWorking) {
  const Json router = Json::parse(api("/api/http/routers/b@docker").body);

  EXPECT_EQ(router["status"], "disabled");
  EXPECT_EQ(router["error"][0], "no such service; did you mean?");
  EXPECT_EQ(router["reasons"][0]["kind"], "missing reference");
}

TEST_F(Admin, AnswersUnknownNamesAsTraefikDoes) {
  const Answer answer = api("/api/http/routers/nobody@docker");

  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.type, "text/plain; charset=utf-8");
  EXPECT_EQ(answer.body, "{\"message\":\"router not found: nobody@docker\"}\n");
  EXPECT_EQ(api("/api/tcp/services/x").status, 404);
  EXPECT_EQ(api("/api/entrypoints/x").status, 404);
}

TEST_F(Admin, PagesLists) {
  EXPECT_EQ(names("/api/http/routers?per_page=3"), (Names{"a/b@file", "a@docker", "b@docker"}));
  EXPECT_EQ(api("/api/http/routers?per_page=3").next_page, "2");
  EXPECT_EQ(names("/api/http/routers?per_page=3&page=2"), (Names{"c@file"}));
  EXPECT_EQ(api("/api/http/routers?per_page=3&page=2").next_page, "1");
}

TEST_F(Admin, RefusesPagesThatAreNone) {
  EXPECT_EQ(api("/api/http/routers?page=9").status, 400);
  EXPECT_EQ(api("/api/http/routers?page=9").body,
            "{\"message\":\"invalid request: page: 9, per_page: 100\"}\n");
  EXPECT_EQ(api("/api/http/routers?page=0").status, 400);
  EXPECT_EQ(api("/api/http/routers?per_page=x").status, 400);
  EXPECT_EQ(api("/api/udp/routers?page=1").status, 200) << "the first page of an empty list exists";
}

TEST_F(Admin, FiltersLists) {
  EXPECT_EQ(names("/api/http/routers?search=C.EXAMPLE"), (Names{"c@file"}));
  EXPECT_EQ(names("/api/http/routers?status=disabled"), (Names{"b@docker"}));
  EXPECT_EQ(names("/api/http/routers?serviceName=shop@docker").size(), 4U);
  EXPECT_EQ(names("/api/http/routers?serviceName=shop").size(), 4U);
  EXPECT_EQ(names("/api/http/routers?serviceName=blog@docker").size(), 0U);
  EXPECT_EQ(names("/api/http/routers?middlewareName=auth%40docker&search=b").size(), 2U);
}

TEST_F(Admin, SortsLists) {
  EXPECT_EQ(names("/api/http/routers?sortBy=name&direction=desc"),
            (Names{"c@file", "b@docker", "a@docker", "a/b@file"}));
  EXPECT_EQ(names("/api/http/routers?sortBy=priority&direction=desc").front(), "c@file");
  EXPECT_EQ(names("/api/http/routers?sortBy=status"), (Names{"b@docker", "a/b@file", "a@docker", "c@file"}));
  EXPECT_EQ(names("/api/http/routers?sortBy=provider"),
            (Names{"a@docker", "b@docker", "a/b@file", "c@file"}));
}

TEST_F(Admin, HidesSecretsOfMiddlewares) {
  const Answer answer = api("/api/http/middlewares/auth@docker");

  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("secret-hash")));
  EXPECT_THAT(api("/api/rawdata").body, testing::Not(HasSubstr("secret-hash")));
}

TEST_F(Admin, GivesOverviewVersionRawdataAndEntryPoints) {
  sources_->providers = [] {
    return std::vector<ProviderState>{
        {.name = "docker", .connected = false, .detail = "no socket", .since = {}}};
  };

  const Json overview = Json::parse(api("/api/overview").body);
  const Json version = Json::parse(api("/api/version").body);

  EXPECT_EQ(overview["http"]["routers"], (Json{{"total", 4}, {"warnings", 0}, {"errors", 1}}));
  EXPECT_EQ(overview["certificates"]["total"], 0);
  EXPECT_EQ(overview["providerStates"][0]["detail"], "no socket");
  EXPECT_EQ(version["Version"], "1.2.3");
  EXPECT_EQ(version["Codename"], "knot");
  EXPECT_EQ(version["startDate"], "1970-01-01T00:00:00Z");
  EXPECT_TRUE(Json::parse(api("/api/rawdata").body)["routers"].contains("a@docker"));
  EXPECT_EQ(names("/api/entrypoints"), (Names{"traefik", "web"}));
  EXPECT_EQ(Json::parse(api("/api/entrypoints/web").body)["address"], ":80");
}

TEST_F(Admin, ARouterWithoutItsCertificateIsAWarningWhereverItIsShown) {
  dynamic_->tcp.routers["db@docker"].options.rule = "HostSNI(`db.example.com`)";
  sources_->certificate_reasons = [](std::string_view router) {
    const bool lacks = router == "http/a@docker" || router == "http/b@docker" || router == "tcp/db@docker";
    return lacks ? std::vector<model::Reason>{{model::ReasonKind::Certificate, "none yet", {}, false}}
                 : std::vector<model::Reason>{};
  };

  const Json overview = Json::parse(api("/api/overview").body);
  const Json all = Json::parse(api("/api/rawdata").body);

  EXPECT_EQ(names("/api/http/routers?status=warning"), (Names{"a@docker"}));
  EXPECT_EQ(overview["http"]["routers"], (Json{{"total", 4}, {"warnings", 1}, {"errors", 1}}));
  EXPECT_EQ(overview["tcp"]["routers"], (Json{{"total", 1}, {"warnings", 1}, {"errors", 0}}));
  EXPECT_EQ(all["routers"]["a@docker"], Json::parse(api("/api/http/routers/a@docker").body));
  EXPECT_EQ(all["routers"]["b@docker"]["error"].back(), "none yet");
  EXPECT_EQ(all["tcpRouters"]["db@docker"]["status"], "warning");
}

TEST_F(Admin, AnswersLargeListsFromAnotherThread) {
  for (int i = 0; i < 1000; ++i)
    dynamic_->http.routers["r" + std::to_string(i) + "@file"].options.rule =
        "Path(`/" + std::to_string(i) + "`)";

  const Answer answer = api("/api/http/routers?per_page=1000&search=r99");

  EXPECT_EQ(Json::parse(answer.body).size(), 11U);
}

TEST_F(Admin, IsReadOnly) {
  test::TestExchange x("DELETE", "/api/http/routers");

  EXPECT_EQ(ask("api", x).status, 405);
}

TEST_F(Admin, StandsUnderItsBasePath) {
  install_->api->base_path = "/admin";

  EXPECT_EQ(api("/admin/api/version").status, 200);
  EXPECT_EQ(api("/api/version").status, 404);
  EXPECT_EQ(ask("dashboard", "/admin/").location, "/admin/dashboard/");
  EXPECT_EQ(ask("dashboard", "/admin/dashboard/").status, 200);
}

TEST_F(Admin, HasNothingElse) {
  for (const char* target :
       {"/api", "/api/", "/api/http", "/api/udp/middlewares", "/api/http/routers/a/b", "/debug/vars"})
    EXPECT_EQ(api(target).status, 404) << target;
  EXPECT_EQ(internal_service("other", sources_), nullptr);
}

TEST_F(Admin, DumpsWhatHelpersNeedWithoutSecrets) {
  install_->providers.http.emplace().endpoint = "http://user:hidden@config.example/routes";
  test::TestExchange x("GET", "/api/support-dump");
  const Answer answer = ask("api", x);
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.type, "application/gzip");

  const std::string archive = unzip(answer.body);
  ASSERT_EQ(archive.size() % 512, 0U);
  EXPECT_THAT(archive, testing::StartsWith("version.json"));
  EXPECT_EQ(archive.substr(257, 5), "ustar");
  EXPECT_THAT(archive, HasSubstr("static-config.json"));
  EXPECT_THAT(archive, HasSubstr("runtime-config.json"));
  EXPECT_THAT(archive, HasSubstr("\"Version\":\"1.2.3\""));
  EXPECT_THAT(archive, HasSubstr("http://xxxx@config.example/routes"));
  EXPECT_THAT(archive, testing::Not(HasSubstr("hidden")));
  EXPECT_THAT(archive, testing::Not(HasSubstr("secret-hash")));
}

TEST_F(Admin, TellsAboutTheProcessOnlyWithDebug) {
  EXPECT_EQ(api("/debug/vars").status, 404);
  install_->api->debug = true;

  const auto vars = Json::parse(api("/debug/vars").body);

  EXPECT_EQ(vars["version"], "1.2.3");
  EXPECT_GT(vars["process"]["residentBytes"], 1'000'000);
  EXPECT_FALSE(vars["cmdline"].empty());
  EXPECT_EQ(api("/debug/pprof/heap").status, 501);
  EXPECT_EQ(api("/debug/other").status, 404);
}

TEST_F(Admin, ShowsADashboardThatRunsOnlyItsOwnScript) {
  const Answer page = ask("dashboard@internal", "/dashboard/");

  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("../api/overview"));
  EXPECT_EQ(ask("dashboard", "/").location, "/dashboard/");
  EXPECT_EQ(ask("dashboard", "/dashboard").status, 301);
  EXPECT_EQ(ask("dashboard", "/other").status, 404);
}

TEST_F(Admin, TheApiServesTheDashboardTooUnlessItIsSwitchedOff) {
  EXPECT_EQ(api("/dashboard/").type, "text/html; charset=utf-8");
  EXPECT_EQ(api("/").status, 302);
  EXPECT_EQ(api("/").location, "/dashboard/");
  EXPECT_EQ(api("/other").status, 404);

  install_->api->dashboard = false;

  EXPECT_EQ(api("/dashboard/").status, 404);
  EXPECT_EQ(api("/").status, 404);
}

TEST_F(Admin, TheWayToTheDashboardKeepsAPrefixThatWasStripped) {
  const auto location = [&](std::string_view prefix) {
    test::TestExchange x("GET", "/");
    x.request.fields.add("X-Forwarded-Prefix", prefix);
    return ask("api", x).location;
  };

  EXPECT_EQ(location("/traefik"), "/traefik/dashboard/");
  for (const char* bad : {"//evil.example", "/\\\\evil.example", "https://evil.example", "/x/"})
    EXPECT_EQ(location(bad), "/dashboard/") << bad;
}

TEST_F(Admin, TakesAConfigurationThatIsPut) {
  sources_->put_configuration = [](std::string_view json) -> std::expected<std::string, std::string> {
    if (json == "{ }") return "{}";
    return std::unexpected(std::string("no JSON"));
  };
  const auto put = [&](std::string_view method, std::string_view path, const std::string& body) {
    test::TestExchange x(method, path);
    x.with_body(body);
    return ask("rest", x);
  };

  const Answer taken = put("PUT", "/api/providers/rest", "{ }");
  EXPECT_EQ(taken.status, 200);
  EXPECT_EQ(taken.body, "{}");
  EXPECT_EQ(taken.type, "application/json");
  EXPECT_EQ(put("PUT", "/api/providers/rest", "x").body, "no JSON\n");
  EXPECT_EQ(put("PUT", "/api/providers/rest", "x").status, 400);
  EXPECT_EQ(put("PUT", "/api/providers/docker", "{ }").status, 400);
  EXPECT_EQ(put("GET", "/api/providers/rest", "").status, 405);
  EXPECT_EQ(put("PUT", "/api/providers/rest/x", "{ }").status, 404);
  EXPECT_EQ(put("PUT", "/api/providers/rest", std::string((16 << 20) + 1, ' ')).status, 413);
}

TEST_F(Admin, PingSaysWhenItDrains) {
  EXPECT_EQ(ask("ping", "/ping").body, "OK");
  sources_->draining = [] { return true; };
  EXPECT_EQ(ask("ping", "/ping").status, 503);
  install_->ping->terminating_status_code = 204;
  EXPECT_EQ(ask("ping", "/ping").status, 204);
}

TEST_F(Admin, AnswersChallengesItKnows) {
  EXPECT_EQ(ask("acme-http", "/.well-known/acme-challenge/token").status, 404);
  sources_->http01 = [](std::string_view token) -> std::optional<std::string> {
    if (token == "token") return "token.thumbprint";
    return std::nullopt;
  };
  EXPECT_EQ(ask("acme-http", "/.well-known/acme-challenge/token").body, "token.thumbprint");
  EXPECT_EQ(ask("acme-http", "/.well-known/acme-challenge/other").status, 404);
}

TEST_F(Admin, ACertificateThatEndsWithinThirtyDaysIsAWarning) {
  const tls::TestCertificate hour = tls::test_certificate("DNS:hour.example");
  const tls::CertificatePtr certificates[] = {tls::Certificate::self_signed("year", {"year.example"}),
                                              *tls::Certificate::from_pem(hour.chain, hour.key)};
  sources_->certificates = [&certificates] {
    std::vector<CertificateView> views(2);
    for (std::size_t i = 0; i < views.size(); ++i) {
      views[i].certificate = certificates[i];
      views[i].names = certificates[i]->names();
    }
    return views;
  };

  std::map<std::string, std::string> status;
  for (const Json& one : Json::parse(ask("api@internal", "/api/certificates").body))
    status[one["sans"][0]] = one["status"];

  EXPECT_EQ(status["year.example"], "enabled");
  EXPECT_EQ(status["hour.example"], "warning");
}

TEST_F(Admin, CertificatesAreSortedByTheirEndAndFoundByTheirIssuer) {
  const tls::TestCertificate hour = tls::test_certificate("DNS:hour.example");
  const tls::CertificatePtr certificates[] = {
      tls::Certificate::self_signed("Lasting Authority", {"a-year.example"}),
      *tls::Certificate::from_pem(hour.chain, hour.key)};
  sources_->certificates = [&certificates] {
    std::vector<CertificateView> views(2);
    for (std::size_t i = 0; i < views.size(); ++i) {
      views[i].certificate = certificates[i];
      views[i].names = {i == 0 ? "a-year.example" : "hour.example"};
    }
    return views;
  };
  const auto first = [this](const std::string& parameters) {
    const Json list = Json::parse(ask("api@internal", "/api/certificates" + parameters).body);
    return std::to_string(list.size()) + ' ' + list[0]["sans"][0].get<std::string>();
  };

  EXPECT_EQ(first(""), "2 a-year.example");
  EXPECT_EQ(first("?sortBy=validUntil"), "2 hour.example");
  EXPECT_EQ(first("?sortBy=validUntil&direction=desc"), "2 a-year.example");
  EXPECT_EQ(first("?search=lasting"), "1 a-year.example");
}

TEST_F(Admin, DescribesACertificateAsTraefikDoes) {
  const tls::TestCertificate made = tls::test_certificate("DNS:z.example,DNS:*.a.example,IP:192.0.2.1");
  sources_->certificates = [certificate = *tls::Certificate::from_pem(made.chain, made.key)] {
    std::vector<CertificateView> views(1);
    views[0].certificate = certificate;
    views[0].names = certificate->names();
    return views;
  };

  const Json one = Json::parse(ask("api", "/api/certificates").body)[0];

  EXPECT_EQ(one["sans"], Json({"*.a.example", "192.0.2.1", "z.example"})) << "without the common name";
  EXPECT_EQ(one["signatureAlgorithm"], "ECDSA-SHA256");
  EXPECT_EQ(one["serialNumber"].get<std::string>().find_first_not_of("0123456789"), std::string::npos);
  EXPECT_FALSE(one.contains("organization")) << "it has none";
  EXPECT_THAT(ask("prometheus", "/metrics").body,
              HasSubstr("sans=\"*.a.example,z.example\",serial=\"" + one["serialNumber"].get<std::string>()));
}

TEST_F(Admin, ShowsCertificatesOfOneNameAndNumberAsOneSeries) {
  const tls::TestCertificate made = tls::test_certificate("DNS:a.example");
  sources_->certificates = [certificate = *tls::Certificate::from_pem(made.chain, made.key)] {
    std::vector<CertificateView> views(2);
    for (CertificateView& view : views) view.certificate = certificate;
    return views;
  };

  const std::string page = ask("prometheus", "/metrics").body;

  EXPECT_THAT(page, HasSubstr("traefik_tls_certs_not_after{"));
  EXPECT_EQ(page.find("traefik_tls_certs_not_after{"), page.rfind("traefik_tls_certs_not_after{"));
}

TEST_F(Admin, NoopIsATeapot) {
  EXPECT_EQ(ask("noop", "/").status, 418);
  EXPECT_EQ(ask("noop", "/").body, "I'm a teapot");
}

TEST_F(Admin, ExposesMetrics) {
  install_->metrics.prometheus.emplace();
  const auto metrics = std::make_shared<observe::Metrics>(observe::MetricOptions{});
  sources_->metrics = [metrics] { return metrics; };
  sources_->connections = [] { return std::vector<OpenConnections>{{.entry_point = "web", .count = 7}}; };
  observe::Record record;
  record.entry_point = "web";
  record.router = "a@docker";
  record.router_service = record.service = "shop@docker";
  record.reached_service = true;
  record.method = "GET";
  record.status = 200;
  metrics->add_block().count({.record = record, .begun = {}});

  const Answer answer = ask("prometheus@internal", "/metrics");

  EXPECT_EQ(answer.type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answer.body, HasSubstr("traefik_config_reloads_total 3\n"));
  EXPECT_THAT(answer.body, HasSubstr("traefik_open_connections{entrypoint=\"web\",protocol=\"TCP\"} 7\n"));
  EXPECT_THAT(answer.body, HasSubstr("protocol=\"http\",service=\"shop@docker\"} 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("process_open_fds "));
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("traefik_router_")));
}

TEST_F(Admin, ShowsWhetherServersAreUpAmongTheMetricsOfServices) {
  model::Prometheus& options = install_->metrics.prometheus.emplace();
  dynamic_->http.services["shop@docker"].options.load_balancer->health_check.emplace();
  sources_->metrics = [] { return std::make_shared<observe::Metrics>(observe::MetricOptions{}); };
  sources_->server_up = [](std::string_view, std::string_view) { return std::optional(true); };

  EXPECT_THAT(ask("prometheus@internal", "/metrics").body, HasSubstr("traefik_service_server_up{"));
  options.add_services_labels = false;
  EXPECT_THAT(ask("prometheus@internal", "/metrics").body, testing::Not(HasSubstr("traefik_service_")));
}

TEST_F(Admin, ShowsAServerOnceAmongTheMetricsAndNoneOfABrokenService) {
  install_->metrics.prometheus.emplace();
  auto& shop = dynamic_->http.services["shop@docker"];
  shop.options.load_balancer->health_check.emplace();
  shop.options.load_balancer->servers.push_back(shop.options.load_balancer->servers.front());
  sources_->metrics = [] { return std::make_shared<observe::Metrics>(observe::MetricOptions{}); };
  sources_->server_up = [](std::string_view, std::string_view) { return std::optional(true); };
  const auto series = [&] {
    const std::string page = ask("prometheus@internal", "/metrics").body;
    std::size_t count = 0;
    for (std::size_t at = 0; (at = page.find("traefik_service_server_up{", at)) != std::string::npos; ++at)
      ++count;
    return count;
  };

  EXPECT_EQ(series(), 1U);
  shop.reasons.push_back(
      {.kind = model::ReasonKind::BadOption, .text = "a login in its URL", .hint = {}, .breaks = true});
  EXPECT_EQ(series(), 0U);
}

}  // namespace
}  // namespace fairlead::admin
