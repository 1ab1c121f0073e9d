#include "engine/model/static.h"

#include "engine/model/internal.h"
#include "engine/schema/file.h"

#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

struct Read {
  Static install;
  schema::Problems problems;

  std::string first_error() const {
    for (const schema::Problem& problem : problems)
      if (problem.severity == schema::Severity::Error) return problem.path + ": " + problem.what;
    return "";
  }
  bool tells(std::string_view path) const {
    for (const schema::Problem& problem : problems)
      if (problem.path == path) return true;
    return false;
  }
};

Read read(const std::string& yaml) {
  const auto node = schema::read_yaml(yaml, "fairlead.yml", schema::keep_templates);
  EXPECT_TRUE(node) << node.error().what;
  Read out;
  out.install = read_static(*node, out.problems);
  return out;
}

TEST(ReadStatic, OpensPort80WhenNothingIsSaid) {
  const Read r = read("{}");

  ASSERT_EQ(r.install.entry_points.size(), 1u);
  EXPECT_EQ(r.install.entry_points.at("http").address, ":80");
  EXPECT_TRUE(r.problems.empty());
}

TEST(ReadStatic, AddsTheInternalEntryPointForThoseWhoNeedIt) {
  EXPECT_EQ(read("ping: {}").install.entry_points.at("traefik").address, ":8080");
  EXPECT_EQ(read("api: {insecure: true}").install.entry_points.at("traefik").address, ":8080");
  EXPECT_FALSE(read("ping: {manualRouting: true}").install.entry_points.contains("traefik"));
  EXPECT_FALSE(read("api: {}").install.entry_points.contains("traefik"));
  EXPECT_EQ(
      read("entryPoints: {traefik: {address: ':9000'}}\nping: {}").install.entry_points.at("traefik").address,
      ":9000");
}

TEST(ReadStatic, HasTheDefaultsOfTheReference) {
  const Static s = read("providers: {docker: {}}\ncertificatesResolvers: {le: {acme: {}}}").install;

  const EntryPoint& http = s.entry_points.at("http");
  EXPECT_EQ(http.transport.life_cycle.grace_time_out, std::chrono::seconds(10));
  EXPECT_EQ(http.transport.responding_timeouts.idle_timeout, std::chrono::seconds(180));
  EXPECT_FALSE(http.transport.responding_timeouts.read_timeout);
  EXPECT_EQ(http.http.max_header_bytes, 1048576);
  EXPECT_EQ(http.http2.max_concurrent_streams, 250);
  EXPECT_EQ(http.udp.timeout, std::chrono::seconds(3));
  EXPECT_EQ(s.providers.docker->default_rule, "Host(`{{ normalize .Name }}`)");
  EXPECT_EQ(s.providers.docker->remember_removed, std::chrono::seconds(30));
  EXPECT_TRUE(s.providers.docker->exposed_by_default);
  EXPECT_EQ(s.providers.throttle_duration, std::chrono::milliseconds(100));
  EXPECT_EQ(s.certificates_resolvers.at("le").acme->key_type, "EC256");
  EXPECT_EQ(s.certificates_resolvers.at("le").acme->storage, "acme.json");
  EXPECT_EQ(s.log.level, "INFO");
  EXPECT_EQ(s.servers_transport.max_idle_conns_per_host, 200);
  EXPECT_EQ(s.hold.requests, 1000);
  EXPECT_EQ(s.reasons.detail, "short");
}

TEST(ReadStatic, RefusesAnUnknownOptionWithTheNearestSpelling) {
  const Read r = read("entryPoints: {web: {adress: ':80'}}");

  ASSERT_FALSE(r.problems.empty());
  EXPECT_EQ(r.problems[0].severity, schema::Severity::Error);
  EXPECT_NE(r.problems[0].suggestion.find("address"), std::string::npos) << r.problems[0].suggestion;
}

TEST(ReadStatic, SaysWhatBecameOfOptionsOfTheOlderVersion) {
  EXPECT_EQ(read("providers: {docker: {swarmMode: true}}").first_error(),
            "providers.docker.swarmMode: was removed; use providers.swarm");
  EXPECT_EQ(read("providers: {docker: {swarmModeRefreshSeconds: 15s}}").first_error(),
            "providers.docker.swarmModeRefreshSeconds: was removed; use providers.swarm.refreshSeconds");
  EXPECT_EQ(read("pilot: {token: x}").first_error(), "pilot: was removed; drop it");
}

TEST(ReadStatic, AcceptsAreasOutOfScopeWithANotice) {
  const Read r = read("providers: {kubernetesIngress: {}}\nmetrics: {datadog: {address: 'a:1'}}");

  EXPECT_EQ(r.first_error(), "");
  EXPECT_TRUE(r.tells("providers.kubernetesIngress"));
  EXPECT_TRUE(r.tells("metrics.datadog"));
}

TEST(ReadStatic, SaysWhatDoesNotWorkWhereSpiffeIsAskedFor) {
  const Read r = read("serversTransport: {spiffe: {ids: [spiffe://a]}}");

  EXPECT_EQ(r.first_error(), "");
  ASSERT_EQ(r.problems.size(), 1u);
  EXPECT_EQ(r.problems[0].severity, schema::Severity::Warning);
  EXPECT_NE(r.problems[0].text().find("answer 503"), std::string::npos) << r.problems[0].text();
}

TEST(ReadStatic, RefusesAddressesThatAreNoneOrTaken) {
  const Read bare = read("entryPoints: {web: {address: '80'}}");
  EXPECT_EQ(bare.first_error(), "entryPoints.web.address: expected [host]:port[/tcp|/udp], got \"80\"");
  EXPECT_EQ(bare.problems.at(0).suggestion, ":80");
  EXPECT_EQ(read("entryPoints: {web: {}}").first_error(),
            "entryPoints.web.address: is required: [host]:port[/tcp|/udp]");
  EXPECT_EQ(read("entryPoints: {a: {address: ':80'}, b: {address: '127.0.0.1:80'}}").first_error(),
            "entryPoints.b.address: 127.0.0.1:80 is taken by the entry point `a`");
  const auto both = [](const std::string& a, const std::string& b) {
    return read("entryPoints: {a: {address: '" + a + "'}, b: {address: '" + b + "'}}").first_error();
  };
  EXPECT_EQ(both("0.0.0.0:80", "127.0.0.1:80"),
            "entryPoints.b.address: 127.0.0.1:80 is taken by the entry point `a`");
  EXPECT_EQ(both("127.0.0.1:80", "[::]:80"),
            "entryPoints.b.address: [::]:80 is taken by the entry point `a`");
  EXPECT_EQ(both("0.0.0.0:80", "[::1]:80"), "");
  EXPECT_EQ(both("127.0.0.1:80", "127.0.0.2:80"), "");
  EXPECT_EQ(read("entryPoints: {a: {address: ':80/TCP'}, b: {address: ':80/UDP'}}").first_error(), "");
  EXPECT_EQ(read("entryPoints: {a: {address: ':80', reusePort: true}, b: {address: ':80', reusePort: true}}")
                .first_error(),
            "");
}

TEST(ReadStatic, RefusesAProxyProtocolThatTrustsNobody) {
  EXPECT_NE(read("entryPoints: {web: {address: ':80', proxyProtocol: {}}}").first_error(), "");
  EXPECT_EQ(read("entryPoints: {web: {address: ':80', proxyProtocol: {insecure: true}}}").first_error(), "");
  EXPECT_NE(read("entryPoints: {web: {address: ':80', proxyProtocol: {trustedIPs: ['10.0.0.0/40']}}}")
                .first_error(),
            "");
}

TEST(ReadStatic, ChecksNamesOfEntryPoints) {
  const Read ping = read("entryPoints: {web: {address: ':80'}}\nping: {entryPoint: weeb}");
  EXPECT_EQ(ping.first_error(), "") << "the others serve on";
  EXPECT_TRUE(ping.tells("ping.entryPoint"));
  EXPECT_TRUE(read("entryPoints: {web: {address: ':80', http: {redirections: {entryPoint: {to: secure}}}}}")
                  .tells("entryPoints.web.http.redirections.entryPoint.to"));
}

TEST(ReadStatic, KeepsAResolverThatCannotWorkAndSaysSo) {
  const Read r = read("certificatesResolvers: {le: {acme: {email: a@example.com}}}");

  EXPECT_EQ(r.first_error(), "");
  EXPECT_TRUE(r.install.certificates_resolvers.contains("le"));
  EXPECT_TRUE(r.tells("certificatesResolvers.le.acme"));
}

TEST(ReadStatic, AResolverWithAnUnknownKeyTypeOrDurationOnlySaysSo) {
  const Read r = read("certificatesResolvers: {le: {acme: {keyType: RSA1024, certificatesDuration: 0}}}");

  EXPECT_EQ(r.first_error(), "");
  EXPECT_TRUE(r.tells("certificatesResolvers.le.acme.keyType"));
  EXPECT_TRUE(r.tells("certificatesResolvers.le.acme.certificatesDuration"));
}

TEST(ReadStatic, ChallengesMayBeSwitchedOnBesideTheirOptions) {
  const Read r = read(
      "entryPoints: {web: {address: ':80'}}\n"
      "certificatesResolvers: {a: {acme: {httpChallenge: true}}, b: {acme: {dnsChallenge: true}}}\n"
      "log: true\n");

  EXPECT_EQ(r.first_error(), "");
  EXPECT_TRUE(r.install.certificates_resolvers.at("a").acme->http_challenge);
  EXPECT_TRUE(r.tells("certificatesResolvers.a.acme.httpChallenge.entryPoint"));
  EXPECT_TRUE(r.install.certificates_resolvers.at("b").acme->dns_challenge);
}

TEST(ReadStatic, AFileMayHoldTheDynamicConfigurationToo) {
  const Read r = read("log: {level: DEBUG}\nhttp: {routers: {}}\nTLS: {}\n");

  EXPECT_EQ(r.first_error(), "");
  EXPECT_TRUE(r.tells("http"));
  EXPECT_NE(read("htp: {}").first_error(), "");
}

TEST(ReadStatic, TakesLogLevelsInAnyCaseAndNoneAtAll) {
  for (const char* level : {"debug", "Warn", "PANIC", "WARNING", "''"})
    EXPECT_EQ(read((std::string("log: {level: ") + level + "}").c_str()).first_error(), "") << level;

  const Read other = read("log: {level: verbose, format: text}");

  EXPECT_EQ(other.first_error(), "") << "it is only said";
  EXPECT_TRUE(other.tells("log.level"));
  EXPECT_TRUE(other.tells("log.format"));
}

TEST(ReadStatic, OnlySaysWhatItDoesNotKnowOfTheDetailsOfLogsAndTraces) {
  const Read r = read(
      "entryPoints: {web: {address: ':80', observability: {traceVerbosity: loud}}}\n"
      "accessLog:\n"
      "  filters: {statusCodes: [404, fivehundred]}\n"
      "  fields: {defaultMode: hide, names: {StartUTC: no}, headers: {names: {Cookie: mask}},\n"
      "           queryParameters: {defaultMode: none}}\n");

  EXPECT_EQ(r.first_error(), "");
  for (const char* path :
       {"entryPoints.web.observability.traceVerbosity", "accessLog.filters.statusCodes",
        "accessLog.fields.defaultMode", "accessLog.fields.names.StartUTC",
        "accessLog.fields.headers.names.Cookie", "accessLog.fields.queryParameters.defaultMode"})
    EXPECT_TRUE(r.tells(path)) << path;
  EXPECT_EQ(r.install.entry_points.at("web").observability.trace_verbosity, "minimal");
  EXPECT_EQ(r.install.access_log->fields.default_mode, "keep");
  EXPECT_NE(read("accessLog: {bufferingSize: many}").first_error(), "");
  const Read ping = read("ping: {terminatingStatusCode: 799}");
  EXPECT_EQ(ping.first_error(), "");
  EXPECT_EQ(ping.install.ping->terminating_status_code, 503);
  EXPECT_NE(read("ping: {terminatingStatusCode: none}").first_error(), "");
}

TEST(ReadStatic, TakesStatusRangesWithoutLimitsAndSaysWhichMeanSomethingElse) {
  const auto told = [](const char* range) {
    const Read r = read((std::string("accessLog: {filters: {statusCodes: ['") + range + "']}}").c_str());
    EXPECT_EQ(r.first_error(), "") << range;
    EXPECT_EQ(r.install.access_log->filters.status_codes, std::vector<std::string>{range});
    return r.problems.empty() ? "" : r.problems[0].what;
  };

  EXPECT_EQ(told("500-999"), "");
  EXPECT_EQ(told("0-599"), "");
  EXPECT_EQ(told("599-500"), "`599-500` matches no status");
  EXPECT_EQ(told("300-301-303"), "`300-301-303` counts as 300-301; list several ranges one by one");
}

TEST(ReadStatic, NumbersThatMakeNoSenseAreReplacedAndSaid) {
  const Read r = read(
      "entryPoints:\n"
      "  web:\n"
      "    address: ':80'\n"
      "    http: {maxHeaderBytes: -1}\n"
      "    transport:\n"
      "      lifeCycle: {requestAcceptGraceTimeout: -1, graceTimeOut: -1s}\n"
      "      respondingTimeouts: {readTimeout: -1, writeTimeout: -1, idleTimeout: -5m}\n"
      "tracing: {sampleRate: 1.5}\n"
      "log: {maxSize: -1, maxAge: -2, maxBackups: -3}\n"
      "accessLog: {bufferingSize: -1}\n"
      "metrics: {otlp: {pushInterval: 0}}\n"
      "providers: {http: {endpoint: 'http://a', pollTimeout: -1}}\n"
      "hostResolver: {resolvDepth: 0}\n"
      "certificatesResolvers: {le: {acme: {clientTimeout: 0, certificateTimeout: -1}}}\n");

  EXPECT_EQ(r.first_error(), "");
  for (const char* path :
       {"entryPoints.web.http.maxHeaderBytes",
        "entryPoints.web.transport.lifeCycle.requestAcceptGraceTimeout",
        "entryPoints.web.transport.lifeCycle.graceTimeOut",
        "entryPoints.web.transport.respondingTimeouts.readTimeout",
        "entryPoints.web.transport.respondingTimeouts.writeTimeout",
        "entryPoints.web.transport.respondingTimeouts.idleTimeout", "tracing.sampleRate", "log.maxSize",
        "log.maxAge", "log.maxBackups", "accessLog.bufferingSize", "metrics.otlp.pushInterval",
        "providers.http.pollTimeout", "hostResolver.resolvDepth",
        "certificatesResolvers.le.acme.clientTimeout", "certificatesResolvers.le.acme.certificateTimeout"})
    EXPECT_TRUE(r.tells(path)) << path;
  const EntryPoint& web = r.install.entry_points.at("web");
  EXPECT_EQ(web.http.max_header_bytes, 1048576);
  EXPECT_EQ(web.transport.life_cycle.grace_time_out, schema::Duration::zero());
  EXPECT_EQ(web.transport.responding_timeouts.read_timeout, schema::Duration::zero());
  EXPECT_EQ(web.transport.responding_timeouts.idle_timeout, schema::Duration::zero());
  EXPECT_EQ(r.install.tracing->sample_rate, 1);
  EXPECT_EQ(read("tracing: {sampleRate: -1}").install.tracing->sample_rate, 0);
  EXPECT_EQ(r.install.log.max_backups, 0);
  EXPECT_EQ(r.install.metrics.otlp->push_interval, std::chrono::seconds(10));
  EXPECT_EQ(r.install.certificates_resolvers.at("le").acme->client_timeout, std::chrono::minutes(2));
}

TEST(ReadStatic, AProviderThatLacksWhatItNeedsKeepsNothingElseFromStarting) {
  const Read r = read("providers: {file: {}, http: {pollInterval: 0}}");

  EXPECT_EQ(r.first_error(), "");
  for (const char* path : {"providers.file", "providers.http.endpoint", "providers.http.pollInterval"})
    EXPECT_TRUE(r.tells(path)) << path;
  EXPECT_NE(read("entryPoints: {u: {address: ':53/udp', udp: {timeout: 0}}}").first_error(), "");
}

TEST(ReadStatic, RedirectsNowhereWhenTheTargetIsNone) {
  for (const char* to : {"''", "':99999'", "':0'", "':443/udp'"}) {
    const Read r =
        read((std::string("entryPoints: {web: {address: ':80', http: {redirections: {entryPoint: {to: ") +
              to + "}}}}}")
                 .c_str());

    EXPECT_EQ(r.first_error(), "") << to;
    EXPECT_TRUE(r.tells("entryPoints.web.http.redirections.entryPoint.to")) << to;
    EXPECT_TRUE(internal_config(r.install).http.routers.empty()) << to;
  }
}

TEST(ReadStatic, TakesABareMiddlewareOfAnEntryPointAndSaysWhatItMeans) {
  const Read r = read("entryPoints: {web: {address: ':80', http: {middlewares: [auth]}}}");

  EXPECT_EQ(r.first_error(), "");
  EXPECT_TRUE(r.tells("entryPoints.web.http.middlewares"));
}

TEST(ReadStatic, SaysWhichLabelsNoMetricMayHave) {
  const Read r = read(
      "metrics: {prometheus: {headerLabels: {tenant: X-T, bad-label: X-T, code: X-T, 1x: X-T, __x: X-T}}}");

  EXPECT_EQ(r.first_error(), "");
  EXPECT_FALSE(r.tells("metrics.prometheus.headerLabels.tenant"));
  for (const char* label : {"bad-label", "code", "1x", "__x"})
    EXPECT_TRUE(r.tells(std::string("metrics.prometheus.headerLabels.") + label)) << label;
  EXPECT_EQ(r.install.metrics.prometheus->header_labels.size(), 1U) << "the others are left out";
}

TEST(ReadStatic, SaysWhichLabelsOfMetricsNoHeaderCanFill) {
  const Read r = read("metrics: {prometheus: {headerLabels: {a: X-T, b: User Agent, c: ''}}}");

  EXPECT_FALSE(r.tells("metrics.prometheus.headerLabels.a"));
  EXPECT_TRUE(r.tells("metrics.prometheus.headerLabels.b"));
  EXPECT_TRUE(r.tells("metrics.prometheus.headerLabels.c"));
}

TEST(ReadStatic, NamesWhatReplacesADeprecatedOption) {
  const Read r = read("core: {defaultRuleSyntax: v2}");

  ASSERT_EQ(r.problems.size(), 1u);
  EXPECT_NE(r.problems[0].text().find("is deprecated; use rules of the v3 language, and leave this out"),
            std::string::npos)
      << r.problems[0].text();
}

TEST(ReadStatic, KnowsWhatOldNamesBecame) {
  const auto told = [](const char* yaml) { return read(yaml).first_error(); };

  EXPECT_EQ(told("tracing: {openTelemetry: {address: a}}"),
            "tracing.openTelemetry: was renamed; use tracing.otlp");
  EXPECT_EQ(told("metrics: {openTelemetry: {}}"), "metrics.openTelemetry: was renamed; use metrics.otlp");
  EXPECT_EQ(told("entryPoints: {web: {address: ':80', enableHTTP3: true}}"),
            "entryPoints.web.enableHTTP3: was removed; set http3 of the entry point");
  EXPECT_EQ(read("docker: {swarmMode: true}").problems.at(0).suggestion, "providers.docker");
}

TEST(ReadStatic, SaysHowADottedKeyIsNested) {
  EXPECT_EQ(read("providers.file: {directory: /x}").first_error(),
            "providers.file: a dot in a key does not nest: write `file` below `providers`");
  EXPECT_EQ(read("entryPoints.web.address: ':80'").first_error(),
            "entryPoints.web.address: a dot in a key does not nest: write `address` below `web` below "
            "`entryPoints`");
  EXPECT_EQ(read("no.such: 1").first_error(), "no.such: there is no option `no.such` here");
}

TEST(ReadStatic, NamesTheEntryPointOfAnOptionThatIsNotYetInEffect) {
  const Read r = read("entryPoints: {web: {address: ':80', http3: {}}, plain: {address: ':81'}}");

  ASSERT_EQ(r.problems.size(), 1u);
  EXPECT_EQ(r.problems[0].path, "entryPoints.web.http3");
}

TEST(ReadStatic, SaysThatAnEmptySectionSetsNothing) {
  const Read r = read("api:\nping: {}\n");

  EXPECT_FALSE(r.install.api);
  ASSERT_EQ(r.problems.size(), 1u);
  EXPECT_EQ(r.problems[0].text().substr(0, 5), "api (");
  EXPECT_EQ(r.problems[0].what, "is empty, which sets nothing; write `api: {}` for all defaults");
}

TEST(ReadStatic, RefusesABasePathWithOtherCharacters) {
  EXPECT_NE(read("api: {basePath: 'a b'}").first_error(), "");
  EXPECT_EQ(read("api: {basePath: /fair/lead}").first_error(), "");
}

TEST(ReadStatic, CleansABasePathAsTheRouterCleansPaths) {
  const Read doubled = read("api: {basePath: /a//b}");

  EXPECT_EQ(doubled.install.api->base_path, "/a/b");
  ASSERT_EQ(doubled.problems.size(), 1u);
  EXPECT_NE(doubled.problems[0].text().find("found below /a/b, not /a//b"), std::string::npos);
  EXPECT_EQ(read("api: {basePath: /a/./b/../}").install.api->base_path, "/a/");
  EXPECT_TRUE(read("api: {basePath: /a/}").problems.empty());
}

TEST(Static, ServesRoutersWithoutEntryPointsOnTheDefaultOnes) {
  const Static all = read(
                         "entryPoints: {a: {address: ':1'}, b: {address: ':2'}, u: {address: ':3/udp'}}\n"
                         "ping: {}")
                         .install;
  EXPECT_EQ(all.default_entry_points(false), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(all.default_entry_points(true), (std::vector<std::string>{"u"}));

  const Static one = read("entryPoints: {a: {address: ':1'}, b: {address: ':2', asDefault: true}}").install;
  EXPECT_EQ(one.default_entry_points(false), (std::vector<std::string>{"b"}));
}

TEST(ListenAddress, IsTakenApart) {
  EXPECT_EQ(parse_listen_address(":80"), (ListenAddress{"", 80, false}));
  EXPECT_EQ(parse_listen_address("[::1]:53/udp"), (ListenAddress{"::1", 53, true}));
  EXPECT_EQ(parse_listen_address("127.0.0.1:8080/tcp"), (ListenAddress{"127.0.0.1", 8080, false}));
  for (const char* bad :
       {"", "80", ":", ":htpp", ":70000", ":80/sctp", "::1:80", "[::1:80", ":80 ", " :80", "*:80"})
    EXPECT_FALSE(parse_listen_address(bad)) << bad;
}

TEST(ListenAddress, MayNameTheServiceOfAPort) {
  EXPECT_EQ(parse_listen_address(":http"), (ListenAddress{"", 80, false}));
  EXPECT_EQ(parse_listen_address("[::1]:HTTPS/tcp"), (ListenAddress{"::1", 443, false}));
  EXPECT_EQ(parse_listen_address("127.0.0.1:domain/udp"), (ListenAddress{"127.0.0.1", 53, true}));
  EXPECT_EQ(parse_listen_address(":submissions"), (ListenAddress{"", 465, false}));
  EXPECT_EQ(parse_listen_address(":sieve"), (ListenAddress{"", 4190, false}));
}

TEST(ReadStatic, TellsOfARedirectionToAnEntryPointOfUdp) {
  const Read r = read(
      "entryPoints:\n"
      "  dns: {address: ':53/udp'}\n"
      "  web: {address: ':80', http: {redirections: {entryPoint: {to: dns}}}}");
  ASSERT_EQ(r.problems.size(), 1U);
  EXPECT_TRUE(r.problems[0].what.starts_with("the entry point `dns` takes UDP")) << r.problems[0].what;
}

TEST(ReadStatic, TellsHowEveryAddressIsWritten) {
  const Read r = read("entryPoints: {web: {address: '*:80'}}");
  ASSERT_EQ(r.problems.size(), 1U);
  EXPECT_TRUE(r.problems[0].what.ends_with("; `:80` without the asterisk is every address"))
      << r.problems[0].what;
}

TEST(ReadStatic, NamesTheNearestServiceWhenAPortIsNone) {
  const Read r = read("entryPoints: {mail: {address: ':submision'}}");

  ASSERT_EQ(r.problems.size(), 1u);
  EXPECT_NE(r.problems[0].text().find("there is no port named `submision`"), std::string::npos);
  EXPECT_NE(r.problems[0].text().find("did you mean `submission`?"), std::string::npos)
      << r.problems[0].text();
  EXPECT_EQ(read("entryPoints: {a: {address: ':htps'}}").problems.at(0).suggestion, "https");
  EXPECT_EQ(read("entryPoints: {a: {address: ':0x50'}}").first_error(),
            "entryPoints.a.address: expected [host]:port[/tcp|/udp], got \":0x50\"");
  EXPECT_NE(read("entryPoints: {a: {address: ':https'}, b: {address: ':443'}}").first_error(), "");
}

}  // namespace
}  // namespace fairlead::model
