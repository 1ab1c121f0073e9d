#include "engine/model/merge.h"

#include "engine/model/references.h"

#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

using schema::Node;

ProviderConfig provider(std::string name, Dynamic config) {
  return {std::move(name), std::make_shared<const Dynamic>(std::move(config))};
}

Dynamic merged(std::vector<ProviderConfig> providers) { return merge(providers); }

TEST(Qualify, KeepsANameThatHasItsProvider) {
  EXPECT_EQ(qualify("web", "docker"), "web@docker");
  EXPECT_EQ(qualify("web@file", "docker"), "web@file");
  EXPECT_EQ(qualify("", "docker"), "");
}

TEST(Merge, QualifiesReferencesByTheProviderOfTheirHolder) {
  Dynamic d;
  HttpRouter& router = d.http.routers["web"].options;
  router.service = "app";
  router.middlewares = {"auth", "shared@file"};
  router.tls = RouterTls{.options = "strict", .cert_resolver = "le", .domains = {}};
  d.http.services["app"].options.load_balancer = LoadBalancer{};
  d.http.services["app"].options.load_balancer->servers_transport = "t@file";
  d.http.standings["app"] = {Standing{.name = "container a", .url = "http://10.0.0.2"}};

  const Dynamic out = merged({provider("docker", d)});

  const HttpRouter& web = out.http.routers.at("web@docker").options;
  EXPECT_EQ(web.service, "app@docker");
  EXPECT_EQ(web.middlewares, (std::vector<std::string>{"auth@docker", "shared@file"}));
  EXPECT_EQ(web.tls->options, "strict@docker");
  EXPECT_EQ(web.tls->cert_resolver, "le");
  EXPECT_EQ(out.http.services.at("app@docker").options.load_balancer->servers_transport, "t@file");
  EXPECT_EQ(out.http.standings.at("app@docker").at(0).url, "http://10.0.0.2");
}

TEST(Merge, LeavesTheDefaultTlsOptionsGlobal) {
  Dynamic d;
  d.http.routers["web"].options.tls = RouterTls{.options = "default", .cert_resolver = "", .domains = {}};
  d.tls.options["default"].options.min_version = "VersionTLS13";

  const Dynamic out = merged({provider("file", d)});

  EXPECT_EQ(out.http.routers.at("web@file").options.tls->options, "default");
  EXPECT_TRUE(out.tls.options.contains("default"));
}

TEST(Merge, BreaksDefaultTlsOptionsThatTwoProvidersDefineDifferently) {
  Dynamic a;
  a.tls.options["default"].options.min_version = "VersionTLS13";
  Dynamic b;
  b.tls.options["default"].options.min_version = "VersionTLS12";

  EXPECT_TRUE(merged({provider("file", a), provider("http", b)}).tls.options.at("default").broken());
  EXPECT_FALSE(merged({provider("file", a), provider("http", a)}).tls.options.at("default").broken());
}

TEST(Merge, LabelsChangeNoDefaultsThatAreDefinedElsewhere) {
  Dynamic labels;
  labels.tls.options["default"].options.min_version = "VersionTLS10";
  labels.tls.stores["default"].options.default_generated_cert.emplace().resolver = "le";
  Dynamic file;
  file.tls.options["default"].options.min_version = "VersionTLS13";
  file.tls.stores["default"].options.default_certificate.emplace().cert_file = "cert.pem";

  for (const char* containers : {"docker", "swarm"}) {
    const Dynamic out = merged({provider(containers, labels), provider("file", file)});

    EXPECT_EQ(out.tls.options.at("default").options.min_version, "VersionTLS13");
    EXPECT_FALSE(out.tls.options.at("default").broken());
    EXPECT_EQ(out.tls.options.at("default").reasons.size(), 1u);
    EXPECT_EQ(out.tls.stores.at("default").options, file.tls.stores.at("default").options);
    EXPECT_FALSE(out.tls.stores.at("default").broken());
  }
  EXPECT_EQ(merged({provider("docker", labels)}).tls.options.at("default").options.min_version,
            "VersionTLS10");
}

TEST(Merge, QualifiesWhatMiddlewaresNameInTheirTrees) {
  Dynamic d;
  Middleware& chain = d.http.middlewares["all"].options;
  chain.type = "chain";
  chain.options = Node::map();
  chain.options.add("Middlewares", Node::scalar("a, b@file"));
  Middleware& errors = d.http.middlewares["pages"].options;
  errors.type = "errors";
  errors.options = Node::map();
  errors.options.add("service", Node::scalar("pages"));

  const Dynamic out = merged({provider("docker", d)});

  const std::vector<Reference> members = references(out.http.middlewares.at("all@docker").options);
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].name, "a@docker");
  EXPECT_EQ(members[1].name, "b@file");
  EXPECT_EQ(references(out.http.middlewares.at("pages@docker").options).at(0).name, "pages@docker");
}

TEST(Merge, DoesNotLetAContainerTakeANameOfAnotherProvider) {
  Dynamic d;
  d.http.middlewares["auth@file"].options.type = "headers";

  const Dynamic out = merged({provider("docker", d)});

  EXPECT_FALSE(out.http.middlewares.contains("auth@file"));
  EXPECT_TRUE(out.http.middlewares.contains("auth@file@docker"));
}

TEST(Merge, KeepsSameNamesOfDifferentProvidersApart) {
  Dynamic d;
  d.http.services["app"].options.load_balancer = LoadBalancer{};

  const Dynamic out = merged({provider("docker", d), provider("file", d)});

  EXPECT_EQ(out.http.services.size(), 2u);
}

TEST(Merge, WhatAProviderToldSinceIsNewerThanItsConfiguration) {
  Dynamic d;
  d.http.standings["app"] = {{.name = "container app-1", .url = "http://10.0.0.1:80"},
                             {.name = "container app-2", .url = "http://10.0.0.2:80"}};
  d.tcp.standings["db"] = {{.name = "container db-1", .url = "10.0.0.3:5432"}};
  d.udp.standings["dns"] = {{.name = "container dns-1", .url = "10.0.0.4:53"}};
  Dynamic out = merged({provider("docker", d), provider("swarm", d)});
  const Reason removed{ReasonKind::Removed, "app-1 was removed", "", false};

  bring_up_to_date(out, "docker",
                   {{"http://10.0.0.1:80", {.state = ServerState::Gone, .reasons = {removed}}},
                    {"10.0.0.3:5432", {.state = ServerState::Draining}},
                    {"10.0.0.4:53", {.state = ServerState::Starting}}});

  const Standing& first = out.http.standings.at("app@docker")[0];
  EXPECT_EQ(first.state, ServerState::Gone);
  EXPECT_EQ(first.reasons, std::vector{removed});
  EXPECT_EQ(first.name, "container app-1");
  EXPECT_EQ(out.http.standings.at("app@docker")[1].state, ServerState::Ready);
  EXPECT_EQ(out.tcp.standings.at("db@docker")[0].state, ServerState::Draining);
  EXPECT_EQ(out.udp.standings.at("dns@docker")[0].state, ServerState::Starting);
  EXPECT_EQ(out.http.standings.at("app@swarm")[0].state, ServerState::Ready) << "of another provider";
}

}  // namespace
}  // namespace fairlead::model
