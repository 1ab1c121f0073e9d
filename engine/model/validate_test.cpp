#include "engine/model/validate.h"

#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/read.h"
#include "engine/model/static.h"
#include "engine/schema/file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::model {
namespace {

constexpr std::string_view kHttp[] = {"addPrefix", "basicAuth", "chain", "errors", "plugin", "retry"};
constexpr std::string_view kTcp[] = {"inFlightConn"};

Static install() {
  Static out;
  out.entry_points["web"].address = ":80";
  out.entry_points["websecure"].address = ":443";
  out.entry_points["dns"].address = ":53/udp";
  out.certificates_resolvers["le"].acme.emplace();
  return out;
}

Dynamic validated(const std::string& yaml, const Static& s = install()) {
  const auto node = schema::read_yaml(yaml, "sites.yml");
  EXPECT_TRUE(node) << node.error().what;
  const ProviderConfig providers[] = {
      {"internal", std::make_shared<const Dynamic>(internal_config(s))},
      {"file", std::make_shared<const Dynamic>(read_dynamic(*node, {.source = "sites.yml"}, {kHttp, kTcp}))}};
  Dynamic out = merge(providers);
  validate(out, s);
  return out;
}

// A working service `app`, before more of the section `services`.
const std::string kApp = R"(
  services:
    app: {loadBalancer: {servers: [{url: "http://10.0.0.1"}]}}
)";

TEST(Validate, FindsNothingWrongWithAPlainSite) {
  const Dynamic d = validated("http:\n  routers:\n    web: {rule: Host(`a`), service: app}\n" + kApp);

  EXPECT_TRUE(d.http.routers.at("web@file").reasons.empty());
  EXPECT_TRUE(d.http.services.at("app@file").reasons.empty());
}

TEST(Validate, SaysThatStickyAloneHasNoEffect) {
  const Dynamic d = validated(R"(
http:
  services:
    bare: {loadBalancer: {sticky: {}, servers: [{url: "http://10.0.0.1"}]}}
    good: {loadBalancer: {sticky: {cookie: {}}, servers: [{url: "http://10.0.0.1"}]}}
)");

  EXPECT_EQ(d.http.services.at("bare@file").reasons.at(0).text,
            "sticky without a cookie ties nobody to a server");
  EXPECT_TRUE(d.http.services.at("good@file").reasons.empty());
}

TEST(Validate, BreaksARouterWithoutItsMiddleware) {
  const Dynamic d =
      validated("http:\n  routers:\n    web: {rule: Host(`a`), service: app, middlewares: [auth]}\n" + kApp);

  EXPECT_EQ(d.http.routers.at("web@file").reasons.at(0).text, "the middleware \"auth@file\" does not exist");
  EXPECT_TRUE(d.http.routers.at("web@file").broken());
}

TEST(Validate, SaysWhichNameWasProbablyMeant) {
  const Dynamic d = validated(R"(
http:
  routers: {web: {rule: Host(`a`), service: api, middlewares: [auht]}}
  middlewares: {auth: {addPrefix: {prefix: /a}}, error: {errors: {status: ["500"], service: appp}}})" +
                              kApp);

  const std::vector<Reason>& reasons = d.http.routers.at("web@file").reasons;
  EXPECT_EQ(reasons.at(0).hint, "did you mean `auth@file`?");
  EXPECT_EQ(reasons.at(1).hint, "did you mean `app@file`?");
  EXPECT_EQ(d.http.middlewares.at("error@file").reasons.at(0).hint, "did you mean `app@file`?");
}

TEST(Validate, SaysAmongManyOnlyTheSameNameOfAnotherProvider) {
  std::string many;
  for (int i = 0; i < 1100; ++i) many += fmt::format("    m{}: {{addPrefix: {{prefix: /a}}}}\n", i);
  const Dynamic d = validated(
      "http:\n  routers:\n"
      "    forgotten: {rule: Host(`a`), service: app, middlewares: [m7@docker]}\n"
      "    misspelt: {rule: Host(`b`), service: app, middlewares: [mm7]}\n"
      "  middlewares:\n" +
      many + kApp);

  EXPECT_EQ(d.http.routers.at("forgotten@file").reasons.at(0).hint, "did you mean `m7@file`?");
  EXPECT_EQ(d.http.routers.at("misspelt@file").reasons.at(0).hint, "");
}

TEST(Validate, BreaksARouterWhoseChainHasABrokenMember) {
  const Dynamic d = validated(R"(
http:
  routers: {web: {rule: Host(`a`), service: app, middlewares: [all]}}
  middlewares:
    all: {chain: {middlewares: [auth]}}
    auth: {basicAuht: {users: ["a:b"]}})" +
                              kApp);

  EXPECT_TRUE(d.http.middlewares.at("all@file").broken());
  EXPECT_TRUE(d.http.routers.at("web@file").broken());
}

TEST(Validate, FindsACircleThroughErrorPages) {
  const Dynamic d = validated(R"(
http:
  services:
    app:
      loadBalancer: {servers: [{url: "http://10.0.0.1"}]}
      middlewares: [pages]
  middlewares:
    pages: {errors: {status: ["500"], service: app}}
)");

  EXPECT_TRUE(d.http.services.at("app@file").broken());
  EXPECT_TRUE(d.http.middlewares.at("pages@file").broken());
}

TEST(Validate, BoundsTheDepthOfNesting) {
  std::string yaml = "http:\n  services:\n";
  for (int i = 0; i < 5000; ++i)
    yaml +=
        "    s" + std::to_string(i) + ": {weighted: {services: [{name: s" + std::to_string(i + 1) + "}]}}\n";
  yaml += "    s5000: {loadBalancer: {servers: [{url: \"http://10.0.0.1\"}]}}\n";

  const Dynamic d = validated(yaml);

  EXPECT_TRUE(d.http.services.at("s0@file").broken());
  EXPECT_FALSE(d.http.services.at("s4999@file").broken());
}

TEST(Validate, BoundsTheDepthOfNestingInWhateverOrderTheNamesAre) {
  // Each name comes behind that of what it needs.
  std::string services = "  services:\n    s10000: {loadBalancer: {servers: [{url: \"http://10.0.0.1\"}]}}\n";
  std::string tcp = "tcp:\n  services:\n    s10000: {loadBalancer: {servers: [{address: \"10.0.0.1:1\"}]}}\n";
  std::string udp = "udp:\n  services:\n    s10000: {loadBalancer: {servers: [{address: \"10.0.0.1:1\"}]}}\n";
  std::string chains = "  middlewares:\n    m10000: {addPrefix: {prefix: /x}}\n";
  for (int i = 10001; i < 10200; ++i) {
    const std::string weighted =
        fmt::format("    s{}: {{weighted: {{services: [{{name: s{}}}]}}}}\n", i, i - 1);
    services += weighted;
    tcp += weighted;
    udp += weighted;
    chains += fmt::format("    m{}: {{chain: {{middlewares: [m{}]}}}}\n", i, i - 1);
  }

  const Dynamic d = validated("http:\n" + services + chains + tcp + udp);

  EXPECT_FALSE(d.http.services.at("s10016@file").broken());
  EXPECT_TRUE(d.http.services.at("s10199@file").broken());
  EXPECT_FALSE(d.http.middlewares.at("m10016@file").broken());
  EXPECT_TRUE(d.http.middlewares.at("m10199@file").broken());
  EXPECT_TRUE(d.tcp.services.at("s10199@file").broken());
  EXPECT_TRUE(d.udp.services.at("s10199@file").broken());
}

TEST(Validate, BoundsWhatOneRequestMayBecome) {
  std::string yaml =
      "http:\n  middlewares:\n    again: {retry: {attempts: 4, status: [\"500\"]}}\n  services:\n";
  const auto service = [&](std::string_view name, std::string_view options) {
    yaml += fmt::format("    {}: {{{}}}\n", name, options);
  };
  service("f0", "loadBalancer: {servers: [{url: \"http://10.0.0.1\"}]}");
  service("m0", "loadBalancer: {servers: [{url: \"http://10.0.0.1\"}]}");
  service("w0", "loadBalancer: {servers: [{url: \"http://10.0.0.1\"}]}");
  service("r0", "loadBalancer: {servers: [{url: \"http://10.0.0.1\"}]}");
  for (int i = 0; i < 15; ++i) {
    service(fmt::format("f{}", i + 1),
            fmt::format("failover: {{service: f{0}, fallback: f{0}, errors: {{status: [\"500\"]}}}}", i));
    service(fmt::format("m{}", i + 1),
            fmt::format("mirroring: {{service: m{0}, mirrors: [{{name: m{0}, percent: 1}}]}}", i));
    service(fmt::format("w{}", i + 1),
            fmt::format("weighted: {{services: [{{name: w{0}}}, {{name: w{0}}}]}}", i));
    service(fmt::format("r{}", i + 1),
            fmt::format("weighted: {{services: [{{name: r{0}}}]}}, middlewares: [again]", i));
  }

  const Dynamic d = validated(yaml);

  const auto broken = [&](const char* name) { return d.http.services.at(name).broken(); };
  EXPECT_FALSE(broken("f9@file"));
  EXPECT_TRUE(broken("f10@file"));
  EXPECT_EQ(d.http.services.at("f10@file").reasons.at(0).text,
            "one request could become 1024 requests to servers, which is more than 1000");
  EXPECT_TRUE(broken("f15@file"));
  EXPECT_FALSE(broken("m9@file"));
  EXPECT_TRUE(broken("m10@file"));
  EXPECT_FALSE(broken("w15@file")) << "one child is asked, and the next one where no server took the request";
  EXPECT_FALSE(broken("r4@file"));
  EXPECT_TRUE(broken("r5@file"));
}

TEST(Validate, TenMirrorsOfTenMirrorsAreNotTooMany) {
  std::string mirrors;
  for (int i = 0; i < 10; ++i) mirrors += fmt::format("{}{{name: NAME, percent: 100}}", i ? ", " : "");
  const auto of = [&](const std::string& name) {
    std::string out = fmt::format("mirroring: {{service: {}, mirrors: [{}]}}", name, mirrors);
    for (std::size_t at = 0; (at = out.find("NAME")) != std::string::npos;) out.replace(at, 4, name);
    return out;
  };

  const Dynamic d =
      validated("http:\n  services:\n    app: {loadBalancer: {servers: [{url: \"http://10.0.0.1\"}]}}\n" +
                fmt::format("    ten: {{{}}}\n    all: {{{}}}\n", of("app"), of("ten")));

  EXPECT_TRUE(d.http.services.at("all@file").reasons.empty());
}

TEST(Validate, OnlyWarnsOfAnUnknownResolver) {
  const Dynamic d = validated(
      "http:\n  routers:\n    web: {rule: Host(`a`), service: app, tls: {certResolver: other}}\n" + kApp);

  EXPECT_FALSE(d.http.routers.at("web@file").broken());
  const auto& reasons = d.http.routers.at("web@file").reasons;
  EXPECT_EQ(std::ranges::count(reasons, ReasonKind::MissingReference, &Reason::kind), 1);
}

TEST(Validate, BreaksARouterWhoseTlsOptionsAreMissing) {
  const Dynamic d = validated(
      "http:\n  routers:\n    web: {rule: Host(`a`), service: app, tls: {options: strict}}\n" + kApp);

  EXPECT_TRUE(d.http.routers.at("web@file").broken());
}

TEST(Validate, RefusesReservedPriorities) {
  const auto with = [](const char* priority) {
    return validated(std::string("http:\n  routers:\n    web: {rule: Host(`a`), service: app, priority: ") +
                     priority + "}\n" + kApp)
        .http.routers.at("web@file")
        .broken();
  };

  EXPECT_FALSE(with("9223372036854774807"));  // 2^63 - 1001
  EXPECT_TRUE(with("9223372036854774808"));
  EXPECT_FALSE(with("-5"));
}

TEST(Validate, DropsUnknownEntryPointsAndBreaksOnlyWhenNoneIsLeft) {
  const Dynamic d = validated(
      "http:\n  routers:\n    some: {rule: Host(`a`), service: app, entryPoints: [web, webb]}\n"
      "    none: {rule: Host(`b`), service: app, entryPoints: [dns]}\n" +
      kApp);

  EXPECT_FALSE(d.http.routers.at("some@file").broken());
  EXPECT_EQ(d.http.routers.at("some@file").reasons.at(0).hint, "did you mean `web`?");
  EXPECT_TRUE(d.http.routers.at("none@file").broken());
}

TEST(Validate, LeavesARouterToItsEntryPointsThatLackNothing) {
  Static s = install();
  s.entry_points["web"].http.middlewares = {"auth@file"};

  const Dynamic d = validated("http:\n  routers:\n    both: {rule: Host(`a`), service: app}\n" + kApp, s);

  const Element<HttpRouter>& both = d.http.routers.at("both@file");
  EXPECT_FALSE(both.broken());
  EXPECT_EQ(both.reasons.at(0).text, "entry point `web`: the middleware \"auth@file\" does not exist");
}

TEST(Validate, BreaksTheRoutersOfAnEntryPointWhoseMiddlewareIsMissing) {
  Static s = install();
  s.entry_points["web"].http.middlewares = {"auth@file"};

  const Dynamic d = validated(
      "http:\n  routers:\n    a: {rule: Host(`a`), service: app, entryPoints: [web]}\n"
      "    b: {rule: Host(`b`), service: app, entryPoints: [websecure]}\n" +
          kApp,
      s);

  EXPECT_TRUE(d.http.routers.at("a@file").broken());
  EXPECT_FALSE(d.http.routers.at("b@file").broken());
}

TEST(Validate, LeavesRoutersWithTlsOfTheirOwnAloneWhenThatOfTheirEntryPointIsBroken) {
  Static s = install();
  s.entry_points["web"].http.tls.emplace().options = "missing@file";

  const Dynamic d = validated(
      "http:\n  routers:\n    a: {rule: Host(`a`), service: app, entryPoints: [web]}\n"
      "    b: {rule: Host(`b`), service: app, entryPoints: [web], tls: {}}\n" +
          kApp,
      s);

  EXPECT_TRUE(d.http.routers.at("a@file").broken());
  EXPECT_TRUE(d.http.routers.at("b@file").reasons.empty());
}

TEST(Validate, KnowsInternalServicesOnlyWhenTheyAreSwitchedOn) {
  const std::string yaml = "http:\n  routers:\n    api: {rule: Host(`a`), service: api@internal}\n";
  Static s = install();
  EXPECT_TRUE(validated(yaml, s).http.routers.at("api@file").broken());

  s.api.emplace();
  EXPECT_FALSE(validated(yaml, s).http.routers.at("api@file").broken());
}

TEST(Validate, AllowsOnlyTheWildcardNameWithoutTls) {
  const auto broken = [](const char* rule, const char* tls) {
    const Dynamic d =
        validated(std::string("tcp:\n  routers:\n    db: {rule: '") + rule + "', service: db" + tls +
                  "}\n  services:\n    db: {loadBalancer: {servers: [{address: \"10.0.0.1:1\"}]}}\n");
    // Whether this version serves TCP at all is another matter.
    return std::ranges::any_of(d.tcp.routers.at("db@file").reasons, [](const Reason& reason) {
      return reason.breaks && reason.kind != ReasonKind::NotYet &&
             reason.kind != ReasonKind::MissingReference;
    });
  };

  EXPECT_FALSE(broken("HostSNI(`*`)", ""));
  EXPECT_TRUE(broken("HostSNI(`a.example.com`)", ""));
  EXPECT_TRUE(broken("HostSNIRegexp(`.*`)", ""));
  EXPECT_FALSE(broken("HostSNI(`a.example.com`)", ", tls: {}"));
}

TEST(Validate, AsksAFailoverForAChildThatKnowsItsState) {
  const Dynamic d = validated(R"(
http:
  services:
    a: {loadBalancer: {servers: [{url: "http://10.0.0.1"}]}}
    b: {loadBalancer: {servers: [{url: "http://10.0.0.2"}], healthCheck: {path: /}}}
    blind: {failover: {service: a, fallback: b}}
    seeing: {failover: {service: b, fallback: a}}
    by_status: {failover: {service: a, fallback: b, errors: {status: ["500"]}}}
)");

  EXPECT_TRUE(d.http.services.at("blind@file").broken());
  EXPECT_FALSE(d.http.services.at("seeing@file").broken());
  EXPECT_FALSE(d.http.services.at("by_status@file").broken());
}

TEST(Validate, BreaksAPluginAndNamesIt) {
  const Dynamic d = validated(
      "http:\n  routers:\n    web: {rule: Host(`a`), service: app, middlewares: [p]}\n"
      "  middlewares:\n    p: {plugin: {demo: {a: b}}}\n" +
      kApp);

  EXPECT_EQ(d.http.middlewares.at("p@file").reasons.at(0).kind, ReasonKind::OutOfScope);
  EXPECT_EQ(d.http.middlewares.at("p@file").reasons.at(0).text,
            "the plugin `demo` cannot be used here, so routers with this middleware answer 503");
  EXPECT_TRUE(d.http.routers.at("web@file").broken());
}

TEST(Validate, LeavesToTheProviderWhyARouterHasNoService) {
  auto d = std::make_shared<Dynamic>();
  Element<HttpRouter>& router = d->http.routers["web"];
  router.options.rule = "Host(`a`)";
  router.break_off(ReasonKind::MissingReference, "cannot be linked automatically with 3 services");
  const ProviderConfig providers[] = {{"docker", d}};
  Dynamic merged = merge(providers);

  validate(merged, install());

  EXPECT_EQ(merged.http.routers.at("web@docker").reasons.size(), 1u);
}

TEST(Validate, TellsOfAnEmptyNameInAListOnce) {
  const Dynamic d = validated(
      "http:\n  routers:\n    web: {rule: Host(`a`), service: app, middlewares: ['', '']}\n" + kApp);

  const auto& reasons = d.http.routers.at("web@file").reasons;
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0].text, "the list names an empty middleware");
  EXPECT_TRUE(reasons[0].breaks);
}

TEST(Validate, TellsWhyADefaultCertificateIsNotOrdered) {
  const auto told = [](const char* generated) {
    const Dynamic d =
        validated(std::string("tls: {stores: {default: {defaultGeneratedCert: {") + generated + "}}}}\n");
    std::string out;
    for (const Reason& reason : d.tls.stores.at("default").reasons) out += reason.text + "\n";
    return out;
  };

  EXPECT_EQ(told("domain: {main: a}"),
            "defaultGeneratedCert names no resolver, so no certificate is ordered\n");
  EXPECT_EQ(told("resolver: le"), "defaultGeneratedCert names no domain, so no certificate is ordered\n");
  EXPECT_EQ(told("resolver: other, domain: {main: a}"), "there is no certificate resolver `other`\n");
  EXPECT_EQ(told("resolver: le, domain: {main: a}"), "");
}

TEST(Validate, NeedsAuthoritiesToVerifyClients) {
  const Dynamic d =
      validated("tls:\n  options:\n    strict: {clientAuth: {clientAuthType: RequireAndVerifyClientCert}}\n");

  EXPECT_TRUE(d.tls.options.at("strict@file").broken());
}

TEST(Validate, LeavesOutATlsVersionThatNobodyKnows) {
  const Dynamic d =
      validated("tls:\n  options:\n    strict: {minVersion: VersionTLS1.3, maxVersion: VersionTLS12}\n");
  const auto& strict = d.tls.options.at("strict@file");

  EXPECT_FALSE(strict.broken());
  EXPECT_EQ(strict.options.min_version, "");
  EXPECT_EQ(strict.options.max_version, "VersionTLS12");
  ASSERT_EQ(strict.reasons.size(), 1u);
  EXPECT_EQ(strict.reasons[0].text, "minVersion \"VersionTLS1.3\" is no version and has no effect");
  EXPECT_EQ(strict.reasons[0].hint, "did you mean `VersionTLS13`?");
}

TEST(Validate, TakesTheSchemeOfAServersUrlInAnyCase) {
  const auto is_refused = [](const std::string& url) {
    return validated("http:\n  services:\n    app: {loadBalancer: {servers: [{url: \"" + url + "\"}]}}\n")
        .http.services.at("app@file")
        .broken();
  };

  EXPECT_FALSE(is_refused("HTTP://10.0.0.1"));
  EXPECT_FALSE(is_refused("Https://10.0.0.1"));
  EXPECT_TRUE(is_refused("FTP://10.0.0.1"));
}

TEST(Validate, AStrategyThatIsLeftEmptyIsTheUsualOne) {
  const auto is_refused = [](const std::string& strategy) {
    return validated("http:\n  services:\n    app:\n      loadBalancer:\n        strategy: \"" + strategy +
                     "\"\n        servers: [{url: \"http://10.0.0.1\"}]\n")
        .http.services.at("app@file")
        .broken();
  };

  EXPECT_FALSE(is_refused(""));
  EXPECT_FALSE(is_refused("p2c"));
  EXPECT_TRUE(is_refused("P2C"));
}

TEST(Validate, AHealthCheckAsksAPathWhoseQueryMayHoldAUrl) {
  const auto is_refused = [](const std::string& path) {
    return validated(
               "http:\n  services:\n    app:\n      loadBalancer:\n        servers: [{url: "
               "\"http://10.0.0.1\"}]\n"
               "        healthCheck: {path: \"" +
               path + "\"}\n")
        .http.services.at("app@file")
        .broken();
  };

  EXPECT_FALSE(is_refused("/check?of=http://10.0.0.2/x"));
  EXPECT_FALSE(is_refused("/a:b"));
  EXPECT_TRUE(is_refused("http://10.0.0.2/x"));
}

TEST(Validate, LeavesOutBytesOfATcpCheckThatAreTooMany) {
  const auto check_with = [](std::size_t bytes) {
    return validated(
               "tcp:\n  services:\n    db:\n      loadBalancer:\n        servers: [{address: 10.0.0.1:1}]\n"
               "        healthCheck: {send: " +
               std::string(bytes, 'x') + ", expect: pong}\n")
        .tcp.services.at("db@file");
  };
  const auto longest = check_with(65535);
  const auto longer = check_with(65536);

  EXPECT_TRUE(longest.reasons.empty());
  EXPECT_FALSE(longer.broken());
  EXPECT_EQ(longest.options.load_balancer->health_check->send.size(), 65535u);
  EXPECT_EQ(longer.options.load_balancer->health_check->send, "");
  EXPECT_EQ(longer.options.load_balancer->health_check->expect, "pong");
  ASSERT_EQ(longer.reasons.size(), 1u);
  EXPECT_EQ(longer.reasons[0].text, "healthCheck.send is longer than 65535 bytes and has no effect");
}

TEST(Validate, GivesTheAnswerToAPingSomeTime) {
  const auto transports = validated(
                              "http:\n  serversTransports:\n"
                              "    zero: {forwardingTimeouts: {readIdleTimeout: 1s, pingTimeout: 0s}}\n"
                              "    short: {forwardingTimeouts: {readIdleTimeout: 1s, pingTimeout: 1s}}\n")
                              .http.servers_transports;

  EXPECT_EQ(transports.at("zero@file").options.forwarding_timeouts.ping_timeout, std::chrono::seconds(15));
  EXPECT_EQ(transports.at("short@file").options.forwarding_timeouts.ping_timeout, std::chrono::seconds(1));
}

TEST(Validate, KeepsTheTimesOfATcpCheckWithinReason) {
  const auto service =
      validated(
          "tcp:\n  services:\n    db:\n      loadBalancer:\n        servers: [{address: a:1}]\n"
          "        healthCheck: {interval: 1ns, timeout: 20000h}\n")
          .tcp.services.at("db@file");

  EXPECT_EQ(service.options.load_balancer->health_check->interval, std::chrono::milliseconds(10));
  EXPECT_EQ(service.options.load_balancer->health_check->timeout, std::chrono::hours(24 * 365));
  EXPECT_EQ(service.reasons.size(), 2u);
}

TEST(Validate, TellsAddressesFromWhatOnlyLooksLikeOne) {
  const auto is_refused = [](const std::string& address) {
    return validated("tcp:\n  services:\n    db: {loadBalancer: {servers: [{address: \"" + address +
                     "\"}]}}\n")
        .tcp.services.at("db@file")
        .broken();
  };

  for (const char* address : {"db:5432", "10.0.0.1:5432", "[::1]:5432"}) EXPECT_FALSE(is_refused(address));
  for (const char* address : {"tcp://db:5432", "::1:5432", "[]:5432", "db/x:5432"})
    EXPECT_TRUE(is_refused(address)) << address;
}

TEST(Validate, IsLinearInTheNumberOfRouters) {
  std::string yaml = "http:\n  routers:\n";
  for (int i = 0; i < 20000; ++i)
    yaml += "    r" + std::to_string(i) + ": {rule: Host(`h" + std::to_string(i) +
            ".example.com`), service: app}\n";

  const auto before = std::chrono::steady_clock::now();
  const Dynamic d = validated(yaml + kApp);

  // Quadratic work would take minutes; generous for slow machines and sanitizers.
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
  EXPECT_EQ(d.http.routers.size(), 20000u);
}

}  // namespace
}  // namespace fairlead::model
