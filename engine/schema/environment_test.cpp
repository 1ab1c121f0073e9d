#include "engine/schema/environment.h"

#include "engine/schema/json.h"
#include "engine/schema/sample_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::schema {
namespace {

using testing::IsEmpty;

struct Variables {
  std::string tree;
  Problems problems;
};

Variables variables(const Environment& environment) {
  Variables out;
  const Node node = read_environment(environment, type_of<sample::Root>(), out.problems,
                                     [](const std::string& path) -> Configured<std::string> {
                                       if (path == "/run/secrets/p") return "s3cret\n";
                                       return misconfigured(path, "cannot be opened");
                                     });
  out.tree = node_text(node);
  return out;
}

TEST(Environment, NamesAreSplitAtUnderscores) {
  const Variables got = variables({{"TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ":80"},
                                   {"TRAEFIK_DOCKER_EXPOSEDBYDEFAULT", "false"},
                                   {"PATH", "/bin"},
                                   {"TRAEFIKX", "1"}});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.tree, R"({"docker":{"exposedByDefault":"false"},"entryPoints":{"web":{"address":":80"}}})");
}

TEST(Environment, FreeNamesMayContainUnderscores) {
  const Variables got = variables({{"TRAEFIK_ENTRYPOINTS_MY_WEB_TLS_CERTRESOLVER", "le"}});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.tree, R"({"entryPoints":{"my_web":{"tls":{"certResolver":"le"}}}})");
}

TEST(Environment, FairleadWinsOverTraefik) {
  const Variables got = variables({{"FAIRLEAD_LOG_LEVEL", "DEBUG"}, {"TRAEFIK_LOG_LEVEL", "WARN"}});

  EXPECT_EQ(got.tree, R"({"log":{"level":"DEBUG"}})");
}

TEST(Environment, ListElementsAreNumbered) {
  const Variables got = variables({{"TRAEFIK_ENTRYPOINTS_WEB_TLS_DOMAINS_0_MAIN", "a"},
                                   {"TRAEFIK_ENTRYPOINTS_WEB_TLS_DOMAINS[0]_SANS", "b,c"}});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.tree, R"({"entryPoints":{"web":{"tls":{"domains":[{"sans":"b,c","main":"a"}]}}}})");
}

TEST(Environment, AListThatIsEmptySaysNothingOfIt) {
  const Variables got = variables(
      {{"TRAEFIK_ENTRYPOINTS_WEB_TLS_DOMAINS_0_SANS", ""}, {"TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ""}});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.tree, R"({"entryPoints":{"web":{"address":"","tls":{"domains":[{}]}}}})");
}

TEST(Environment, AFileGivesTheValueOfAScalarOption) {
  const Variables got = variables({{"FAIRLEAD_DOCKER_PASSWORD_FILE", "/run/secrets/p"}});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.tree, R"({"docker":{"password":"s3cret"}})");
}

TEST(Environment, AFileCountsBeforeAValueAndTheValueIsTold) {
  const Variables got =
      variables({{"FAIRLEAD_DOCKER_PASSWORD", "old"}, {"FAIRLEAD_DOCKER_PASSWORD_FILE", "/run/secrets/p"}});

  EXPECT_EQ(got.tree, R"({"docker":{"password":"s3cret"}})");
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].severity, Severity::Notice);
  EXPECT_EQ(got.problems[0].text(),
            "FAIRLEAD_DOCKER_PASSWORD (environment): does not count beside FAIRLEAD_DOCKER_PASSWORD_FILE");
}

TEST(Environment, AFileThatIsMissingOrForASectionIsAProblem) {
  const Variables got =
      variables({{"FAIRLEAD_DOCKER_FILE", "/x"}, {"FAIRLEAD_DOCKER_PASSWORD_FILE", "/nowhere"}});

  EXPECT_EQ(got.tree, "{}");
  ASSERT_EQ(got.problems.size(), 2u);
  EXPECT_TRUE(got.problems[0].what.starts_with("unknown variable")) << got.problems[0].what;
  EXPECT_EQ(got.problems[1].what, "/nowhere: cannot be opened");
}

TEST(Environment, UnknownNamesAreReportedWithTheNearest) {
  const Variables got =
      variables({{"TRAEFIK_ENTRYPOINTS_WEB_ADRESS", ":80"}, {"TRAEFIK_LGO_LEVEL", "x"}, {"TRAEFIK__X", "y"}});

  EXPECT_EQ(got.tree, "{}");
  ASSERT_EQ(got.problems.size(), 3u);
  EXPECT_EQ(got.problems[0].suggestion, "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS");
  EXPECT_EQ(got.problems[1].suggestion, "TRAEFIK_LOG_LEVEL");
  EXPECT_EQ(got.problems[2].kind, Problem::Kind::BadSyntax);
}

TEST(Environment, ASectionThatMayNotStandAloneIsToldSo) {
  const Variables got = variables({{"TRAEFIK_ENTRYPOINTS_WEB", ":80"}});

  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].text(),
            "TRAEFIK_ENTRYPOINTS_WEB (environment): is a section: one of its options can be set");
}

TEST(Environment, ASectionWithANameOfOneWordMayBeCalledTrue) {
  const Variables got =
      variables({{"TRAEFIK_ENTRYPOINTS_WEB", "True"}, {"TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ":80"}});

  EXPECT_TRUE(got.problems.empty());
  EXPECT_EQ(variables({{"TRAEFIK_ENTRYPOINTS_WEB_REUSEPROT", "true"}}).problems.size(), 1u)
      << "a misspelt option is no name";
}

TEST(Environment, ServiceLinksOfTheOrchestratorAreNoOptions) {
  const Variables got = variables({{"FAIRLEAD_PORT", "tcp://10.96.0.7:80"},
                                   {"FAIRLEAD_PORT_80_TCP", "tcp://10.96.0.7:80"},
                                   {"FAIRLEAD_PORT_80_TCP_ADDR", "10.96.0.7"},
                                   {"FAIRLEAD_SERVICE_HOST", "10.96.0.7"},
                                   {"FAIRLEAD_SERVICE_PORT", "80"},
                                   {"FAIRLEAD_SERVICE_PORT_WEB_SECURE", "443"},
                                   {"FAIRLEAD_NAME", "/app/fairlead"},
                                   {"FAIRLEAD_ENV_PATH", "/bin"},
                                   {"TRAEFIK_DASHBOARD_SERVICE_HOST", "10.96.0.8"},
                                   {"TRAEFIK_DASHBOARD_PORT_8080_TCP_PROTO", "tcp"}});

  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].severity, Severity::Notice);
  EXPECT_EQ(
      got.problems[0].text(),
      "TRAEFIK_DASHBOARD_PORT_8080_TCP_PROTO (environment): and 9 more were set by Kubernetes or Docker as "
      "service links, and not read as options");
  EXPECT_EQ(got.tree, "{}");
}

TEST(Environment, WhatOnlyLooksLikeAServiceLinkIsUnknown) {
  for (const char* name : {"FAIRLEAD_PORT", "FAIRLEAD_VERSION", "FAIRLEAD_NAME", "FAIRLEAD_PORT_80",
                           "FAIRLEAD_SERVICE", "FAIRLEAD_SERVICE_HOST_NAME"}) {
    const Variables got = variables({{name, "80"}});

    ASSERT_EQ(got.problems.size(), 1u) << name;
    EXPECT_EQ(got.problems[0].severity, Severity::Error) << name;
    EXPECT_NE(got.problems[0].text().find("unset it"), std::string::npos) << got.problems[0].text();
  }
}

TEST(Environment, ASectionThatMayStandAloneIsSwitchedOn) {
  const Variables got = variables({{"TRAEFIK_DOCKER", "true"}});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.tree, R"({"docker":"true"})");
}

}  // namespace
}  // namespace fairlead::schema
