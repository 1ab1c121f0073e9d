#include "engine/exchange/child_routes.h"

#include "engine/exchange/test_exchange.h"
#include "engine/routing/rule_parser.h"

#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

Route route(std::string name, std::shared_ptr<const Service> handler) {
  Route out;
  out.name = std::move(name);
  out.service_name = out.name + "-service";
  out.handler = std::move(handler);
  return out;
}

// One child for each rule, named by its number, answering with that status.
ChildRoutes children(const std::vector<std::pair<std::string, std::shared_ptr<const Service>>>& rules) {
  RouteTable table;
  routing::HttpRouter::Builder builder;
  for (const auto& [text, handler] : rules) {
    const auto rule = routing::parse_rule(text, routing::Protocol::Http, routing::Syntax::V3);
    const auto index = static_cast<std::uint32_t>(table.routes.size());
    builder.add(*rule, {.priority = rule->default_priority(), .precedence = 0, .order = index}, index);
    table.routes.push_back(route("child-" + std::to_string(index), handler));
  }
  table.router = std::move(builder).build();
  return ChildRoutes(std::move(table));
}

Response ask(const ChildRoutes& service, Exchange& x) {
  Task<Response> task = service.serve(x);
  if (!task.done()) task.start(nullptr);
  return task.take();
}

TEST(ChildRoutes, GivesTheRequestToTheChildThatMatchesItAsItIsNow) {
  const auto first = std::make_shared<test::StubService>();
  const auto second = std::make_shared<test::StubService>();
  const ChildRoutes service = children({{"PathPrefix(`/a`)", first}, {"PathPrefix(`/b`)", second}});
  auto x = test::get("/b/page");
  x.router_name = "web@file";

  EXPECT_EQ(ask(service, x).head.status, 200);

  EXPECT_EQ(first->calls, 0);
  EXPECT_EQ(second->calls, 1);
  EXPECT_EQ(x.record.router, "child-1");
  EXPECT_EQ(x.record.service, "child-1-service");
  EXPECT_EQ(x.record.router_path, "web@file -> child-1");
}

TEST(ChildRoutes, NamesTheParentsOnceHoweverOftenTheRequestIsTried) {
  const ChildRoutes service = children({{"PathPrefix(`/`)", std::make_shared<test::StubService>()}});
  auto x = test::get("/");
  x.router_name = "web@file";

  ask(service, x);
  ask(service, x);

  EXPECT_EQ(x.record.router_path, "web@file -> child-0");
}

TEST(ChildRoutes, Answers404WhenNoChildMatches) {
  const ChildRoutes service = children({{"PathPrefix(`/a`)", std::make_shared<test::StubService>()}});
  auto x = test::get("/b");

  EXPECT_EQ(ask(service, x).head.status, 404);
}

}  // namespace
}  // namespace fairlead::exchange
