#include "engine/observe/trace.h"

#include "engine/http/fields.h"

#include <gtest/gtest.h>

namespace fairlead::observe {
namespace {

constexpr TimePoint at(int milliseconds) { return TimePoint(std::chrono::milliseconds(milliseconds)); }

TraceContext parent(bool sampled) { return {.trace = {7}, .span = {9}, .sampled = sampled, .state = "a=1"}; }

TEST(Trace, GoesOnWithTheTraceOfItsParent) {
  const Tracer tracer;
  Trace trace(tracer, parent(true), false);

  EXPECT_EQ(trace.id(), parent(true).trace);
  EXPECT_EQ(trace.state(), "a=1");
  EXPECT_TRUE(trace.has_remote_parent());
  EXPECT_EQ(trace.server().parent, parent(true).span);
  EXPECT_EQ(trace.server().kind, SpanKind::Server);
}

TEST(Trace, OfItsOwnHasIdentifiersOfItsOwn) {
  const Tracer tracer;
  const Trace one(tracer, std::nullopt, false);
  const Trace other(tracer, std::nullopt, false);

  EXPECT_NE(one.id(), other.id());
  EXPECT_NE(one.id(), TraceId{});
  EXPECT_NE(one.server_span(), other.server_span());
  EXPECT_FALSE(one.has_remote_parent());
}

TEST(Trace, FollowsTheDecisionOfItsParentWhateverTheRate) {
  const Tracer always{.sample_rate = 1.0};
  const Tracer never{.sample_rate = 0.0};

  EXPECT_FALSE(Trace(always, parent(false), false).sampled());
  EXPECT_TRUE(Trace(never, parent(true), false).sampled());
  EXPECT_FALSE(Trace(never, std::nullopt, false).sampled());
  TraceContext open = parent(true);
  open.sampled.reset();
  EXPECT_FALSE(Trace(never, open, false).sampled()) << "nobody has decided yet";
}

TEST(Trace, IsSampledAsOftenAsTheRateSays) {
  const Tracer tracer{.sample_rate = 0.003};
  int sampled = 0;
  for (int i = 0; i < 100'000; ++i) sampled += Trace(tracer, std::nullopt, false).sampled();

  EXPECT_GT(sampled, 200);  // 300 ± 5.8 standard deviations
  EXPECT_LT(sampled, 400);
}

TEST(Trace, DecidesByTheIdentifierSoThatProgramsAgree) {
  const Tracer tracer{.sample_rate = 0.5};
  TraceContext low{.trace = {}, .span = {1}};
  low.trace[8] = 0x7f;
  TraceContext high = low;
  high.trace[8] = 0x80;

  EXPECT_TRUE(Trace(tracer, low, false).sampled());
  EXPECT_FALSE(Trace(tracer, high, false).sampled());
}

TEST(Trace, NestsSpansAndNamesTheInnermostToReceivers) {
  const Tracer tracer{.propagators = {Propagator::TraceContext}};
  Trace trace(tracer, std::nullopt, true);
  Arena arena;
  http::Fields inside(arena);
  http::Fields after(arena);
  {
    OpenSpan outer(trace, SpanKind::Internal, "Router", at(1));
    OpenSpan inner(trace, SpanKind::Client, "ReverseProxy", at(2));
    trace.inject(inside);
    inner.end(at(3));
    outer.end(at(4));
  }
  trace.inject(after);

  ASSERT_EQ(trace.spans().size(), 3U);
  const Span& server = trace.spans()[0];
  const Span& router = trace.spans()[1];
  const Span& client = trace.spans()[2];
  EXPECT_EQ(router.parent, server.id);
  EXPECT_EQ(client.parent, router.id);
  EXPECT_EQ(client.begun, at(2));
  EXPECT_EQ(client.ended, at(3));
  EXPECT_EQ(router.ended, at(4));
  EXPECT_EQ(extract(inside, tracer.propagators)->span, client.id);
  EXPECT_EQ(extract(after, tracer.propagators)->span, server.id);
}

TEST(Trace, ThatIsNotSampledKeepsNothingButSaysSo) {
  const Tracer tracer{.sample_rate = 0, .propagators = {Propagator::TraceContext}};
  Trace trace(tracer, std::nullopt, true);
  OpenSpan span(trace, SpanKind::Client, "ReverseProxy", at(1));
  Arena arena;
  http::Fields fields(arena);
  trace.inject(fields);

  EXPECT_EQ(span.span(), nullptr);
  EXPECT_TRUE(trace.spans().empty());
  EXPECT_FALSE(trace.detailed());
  const auto told = extract(fields, tracer.propagators);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->trace, trace.id());
  EXPECT_EQ(told->span, trace.server_span());
  EXPECT_EQ(told->sampled, false);
}

TEST(Trace, HasABoundedNumberOfSpans) {
  const Tracer tracer;
  Trace trace(tracer, std::nullopt, false);
  for (std::size_t i = 0; i < 2 * Trace::kMaxSpans; ++i)
    OpenSpan(trace, SpanKind::Client, "ReverseProxy", at(1)).end(at(2));

  EXPECT_EQ(trace.spans().size(), Trace::kMaxSpans);
}

TEST(Trace, SpansCutOffWithTheirExchangeHaveNoEnd) {
  const Tracer tracer;
  Trace trace(tracer, std::nullopt, false);
  {
    const OpenSpan span(trace, SpanKind::Client, "ReverseProxy", at(5));
  }

  EXPECT_EQ(trace.spans()[1].ended, TimePoint{});
  EXPECT_EQ(trace.context().span, trace.server_span());
}

TEST(CapturedHeaders, AreListsWithoutTheUserAgent) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("X-Tenant", "a");
  fields.add("User-Agent", "curl");
  fields.add("x-tenant", "b");
  Span span;

  capture_headers(span, "http.request.header.", {"x-tenant", "user-agent", "absent"}, fields);

  ASSERT_EQ(span.attributes.size(), 2U);
  EXPECT_EQ(span.attributes[0].key, "http.request.header.x-tenant");
  EXPECT_EQ(span.attributes[0].text, "a");
  EXPECT_EQ(span.attributes[1].text, "b");
  EXPECT_EQ(span.attributes[1].type, SpanAttribute::Type::Element);
}

TEST(SafeQuery, ShowsOnlyValuesOfParametersThatAreSafe) {
  EXPECT_EQ(safe_query("page=2&token=abc&pa%67e=3", {"page"}), "page=2&token=REDACTED&pa%67e=3");
  EXPECT_EQ(safe_query("token", {}), "token=REDACTED");
  EXPECT_EQ(safe_query("", {}), "");
}

}  // namespace
}  // namespace fairlead::observe
