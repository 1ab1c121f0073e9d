#include "engine/schema/json.h"

#include "engine/schema/sample_test.h"

#include <gtest/gtest.h>

namespace fairlead::schema {
namespace {

TEST(Json, LeavesOutWhatIsUnsetOrEmpty) {
  EXPECT_EQ(json_text(sample::Router{.rule = "r", .entry_points = {"web"}}),
            R"({"rule":"r","entryPoints":["web"]})");
  EXPECT_EQ(json_text(sample::Router{.tls = sample::RouterTls{}}), R"({"tls":{}})");
}

TEST(Json, KeepsWhatIsSetToZero) {
  EXPECT_EQ(json_text(sample::Server{.url = "u", .weight = 0}), R"({"url":"u","weight":0})");
  EXPECT_EQ(json_text(sample::Cookie{}), R"({"maxAge":0})") << "its row says always";
}

TEST(Json, PrintsDurationsNumbersAndBooleans) {
  const sample::LoadBalancer balancer{
      .servers = {{.url = "u"}}, .flush_interval = std::chrono::seconds(90), .codes = {200}};

  EXPECT_EQ(
      json_text(balancer),
      R"({"servers":[{"url":"u"}],"strategy":"wrr","passHostHeader":true,"flushInterval":"1m30s","codes":[200]})");
}

TEST(Json, MasksSecrets) {
  EXPECT_EQ(json_text(sample::Auth{.users = {"a:b", "c:d"}, .headers = {{"X", "y"}}}),
            R"({"users":["xxxx","xxxx"],"headers":{"X":"y"}})");
  EXPECT_EQ(json_text(sample::Docker{.password = "p"}),
            R"({"endpoint":"unix:///var/run/docker.sock","exposedByDefault":true,"password":"xxxx"})");
}

TEST(Json, StructsThatAreNoOptionalsAlwaysShow) {
  EXPECT_EQ(json_text(sample::Root{}), R"({"http":{},"log":{"level":"INFO"}})");
}

TEST(Json, SurvivesBytesThatAreNotUtf8) {
  EXPECT_EQ(json_text(sample::Domain{.main = "a\xff"}), "{\"main\":\"a\xEF\xBF\xBD\"}");
}

TEST(Json, WritesTrees) {
  Node node = Node::map();
  node.add("a", Node::scalar("1"));
  node.add("b", Node::list()).push(Node());

  EXPECT_EQ(node_text(node), R"({"a":"1","b":[null]})");
}

}  // namespace
}  // namespace fairlead::schema
