#include "engine/exchange/tracing.h"

#include "engine/exchange/entry_point.h"
#include "engine/exchange/test_exchange.h"

#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

class Tracing : public testing::Test {
 protected:
  Tracing() {
    auto tracer = std::make_shared<observe::Tracer>();
    tracer->request_headers = {"x-tenant"};
    tracer->propagators = {observe::Propagator::TraceContext};
    entry_point_.tracer = tracer;
    route_.detailed_traces = true;
  }

  EntryPoint entry_point_;
  Route route_;
  test::TestExchange x_ = test::get("/");
};

class AddsAHeader final : public HeadMiddleware {
  std::optional<Response> on_request(Exchange& x) const override {
    x.request.fields.add("X-Added", "1");
    return std::nullopt;
  }
};

TEST_F(Tracing, BeginsUnlessTheRouterWantsNone) {
  route_.traces = false;
  begin_trace(x_, entry_point_, &route_);
  EXPECT_FALSE(x_.trace);

  route_.traces = true;
  begin_trace(x_, entry_point_, &route_);
  EXPECT_TRUE(x_.trace);
}

TEST_F(Tracing, OfInternalServicesIsForThoseWhoAskForIt) {
  route_.internal = true;
  begin_trace(x_, entry_point_, &route_);
  EXPECT_FALSE(x_.trace);

  auto tracer = std::make_shared<observe::Tracer>();
  tracer->internals = true;
  entry_point_.tracer = tracer;
  begin_trace(x_, entry_point_, &route_);
  EXPECT_TRUE(x_.trace);
}

TEST_F(Tracing, WithoutARouterIsTheEntryPointsChoice) {
  entry_point_.traces = false;
  begin_trace(x_, entry_point_, nullptr);
  EXPECT_FALSE(x_.trace);

  entry_point_.traces = true;
  begin_trace(x_, entry_point_, nullptr);
  EXPECT_TRUE(x_.trace && !x_.trace->detailed());
}

TEST_F(Tracing, KeepsTheHeadersAsTheyCame) {
  x_.header("X-Tenant", "a").header("User-Agent", "curl/8");
  begin_trace(x_, entry_point_, &route_);
  x_.request.fields.set("X-Tenant", "changed");

  const auto& attributes = x_.trace->server().attributes;
  ASSERT_EQ(attributes.size(), 2U);
  EXPECT_EQ(attributes[0].text, "curl/8");
  EXPECT_EQ(attributes[1].text, "a");
}

TEST_F(Tracing, WrapsMiddlewaresAndServicesInSpans) {
  const auto inner = std::make_shared<test::StubService>();
  const auto middleware =
      std::make_shared<TracedMiddleware>("AddsAHeader", "a@file", std::make_shared<AddsAHeader>());
  const TracedService router(
      "web@file", "Host(`a`)", "web@file",
      std::make_shared<Chain>(std::vector<std::shared_ptr<const Middleware>>{middleware},
                              std::make_shared<TracedService>("web@file", inner)));
  begin_trace(x_, entry_point_, &route_);

  Task<Response> task = router.serve(x_);
  task.start(nullptr);

  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.take().head.status, 200);
  EXPECT_TRUE(x_.request.fields.has("X-Added"));
  const auto& spans = x_.trace->spans();
  ASSERT_EQ(spans.size(), 4U);
  EXPECT_EQ(spans[1].name, "Router");
  EXPECT_EQ(spans[2].name, "AddsAHeader");
  EXPECT_EQ(spans[3].name, "Service");
  for (std::size_t i = 1; i < spans.size(); ++i) EXPECT_EQ(spans[i].parent, spans[i - 1].id);
}

TEST_F(Tracing, LeavesThemAloneWithoutDetails) {
  const auto inner = std::make_shared<test::StubService>();
  const TracedService service("web@file", inner);
  route_.detailed_traces = false;
  begin_trace(x_, entry_point_, &route_);

  Task<Response> task = service.serve(x_);
  task.start(nullptr);

  EXPECT_EQ(inner->calls, 1);
  EXPECT_EQ(x_.trace->spans().size(), 1U);
}

}  // namespace
}  // namespace fairlead::exchange
