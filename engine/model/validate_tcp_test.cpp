#include "engine/model/merge.h"
#include "engine/model/read.h"
#include "engine/model/static.h"
#include "engine/model/validate.h"
#include "engine/schema/file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::model {
namespace {

// What is said of the service `db`.
std::vector<std::string> said_of_service(const std::string& db) {
  const auto node = schema::read_yaml(
      "tcp:\n  serversTransports:\n    bare: {}\n"
      "  services:\n    db: {" +
          db + "}\n",
      "db.yml");
  EXPECT_TRUE(node) << node.error().what;
  const ProviderConfig providers[] = {
      {"file", std::make_shared<const Dynamic>(read_dynamic(*node, {.source = "db.yml"}, {{}, {}}))}};
  Dynamic merged = merge(providers);
  validate(merged, Static{});
  std::vector<std::string> said;
  for (const Reason& reason : merged.tcp.services.at("db@file").reasons) said.push_back(reason.text);
  return said;
}

// The same where its load balancer has the given options.
std::vector<std::string> said_of(const std::string& options) {
  return said_of_service("loadBalancer: {" + options + "}");
}

std::ptrdiff_t times(const std::vector<std::string>& said, std::string_view what) {
  return std::ranges::count_if(said,
                               [&](const std::string& one) { return one.find(what) != std::string::npos; });
}

TEST(ValidateTcp, WhatATransportReplacesOfAServiceIsTold) {
  const std::string server = "servers: [{address: \"a:1\"}]";
  const std::string ignored = "terminationDelay is ignored beside serversTransport";

  EXPECT_EQ(times(said_of(server + ", serversTransport: bare, terminationDelay: 5"), ignored), 1);
  EXPECT_EQ(times(said_of(server + ", terminationDelay: 5"), ignored), 0);
}

TEST(ValidateTcp, AWeightedServiceOfNothingIsTold) {
  EXPECT_EQ(said_of_service("weighted: {services: []}"), std::vector<std::string>{"has no service below it"});
}

TEST(ValidateTcp, AWeightedChildWithoutANameIsTold) {
  EXPECT_EQ(said_of_service("weighted: {services: [{weight: 2}]}"),
            std::vector<std::string>{"weighted.services names no service"});
}

TEST(ValidateTcp, AnAddressIsAHostAndAPort) {
  for (const char* address : {"a:1", "10.0.0.1:1", "[::1]:1"})
    EXPECT_EQ(times(said_of(fmt::format("servers: [{{address: '{}'}}]", address)), "is none"), 0) << address;
  for (const char* address : {"a", ":1", "::1:1", "tcp://a:1", " a:1", "a b:1", "a:1 "})
    EXPECT_EQ(times(said_of(fmt::format("servers: [{{address: '{}'}}]", address)), "is none"), 1) << address;
}

TEST(ValidateTcp, TlsThatCannotWorkIsToldOnceAndNotOfATransportThatIsMissing) {
  const std::string two = "servers: [{address: \"a:1\", tls: true}, {address: \"b:1\", tls: true}]";
  const std::string why = "TLS to the server needs a serversTransport";

  EXPECT_EQ(times(said_of(two), why), 1);
  EXPECT_EQ(times(said_of(two + ", serversTransport: bare"), why), 1);
  EXPECT_EQ(times(said_of(two + ", serversTransport: nowhere"), why), 0);
}

}  // namespace
}  // namespace fairlead::model
