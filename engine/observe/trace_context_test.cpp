#include "engine/observe/trace_context.h"

#include "engine/http/fields.h"

#include <gtest/gtest.h>

namespace fairlead::observe {
namespace {

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceParent, IsReadWithItsDecision) {
  const auto sampled = read_traceparent(kParent);
  const auto not_sampled = read_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02");

  ASSERT_TRUE(sampled && not_sampled);
  EXPECT_EQ(hex(sampled->trace), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(hex(sampled->span), "b7ad6b7169203331");
  EXPECT_EQ(sampled->sampled, true);
  EXPECT_EQ(not_sampled->sampled, false);
}

TEST(TraceParent, OfALaterVersionMaySayMore) {
  EXPECT_TRUE(read_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_TRUE(read_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what"));
  EXPECT_FALSE(read_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what"));
}

TEST(TraceParent, IsIgnoredWhenMalformed) {
  for (const std::string_view text : {
           "",
           "00",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
       })
    EXPECT_FALSE(read_traceparent(text)) << text;
}

TEST(TraceState, LosesWhiteSpaceAndEmptyMembers) {
  EXPECT_EQ(read_tracestate("rojo=00f067aa0ba902b7 , ,\tcongo=t61rcWkgMzE"),
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  EXPECT_EQ(read_tracestate("fw529a3039@dt=FfZ2, a/b*c-d_e=\x20!~"), "fw529a3039@dt=FfZ2,a/b*c-d_e= !~");
}

TEST(TraceState, IsGivenUpWhenOneMemberIsMalformed) {
  for (const std::string_view text :
       {"a", "a=", "=1", "A=1", "a=1,b", "a=1,a=2", "a=1=2", "a=\x01", "a=\xc3\xa4"})
    EXPECT_EQ(read_tracestate(text), "") << text;
  EXPECT_EQ(read_tracestate(std::string(257, 'a') + "=1"), "");
  EXPECT_EQ(read_tracestate("a=" + std::string(257, '1')), "");
}

TEST(TraceState, HasNoMoreThan32Members) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += "k" + std::to_string(i) + "=1,";

  EXPECT_EQ(read_tracestate(text) + ",", text);
  EXPECT_EQ(read_tracestate(text + "more=1"), "");
}

TEST(TraceState, IsCutTo512CharactersLongMembersFirstThenTheOldest) {
  const std::string long_one = "long=" + std::string(200, 'x');
  std::string short_ones;
  for (int i = 0; i < 5; ++i) short_ones += (i ? ",s" : "s") + std::to_string(i) + "=" + std::string(97, 'y');

  EXPECT_EQ(read_tracestate(long_one + "," + short_ones), short_ones);
  EXPECT_EQ(read_tracestate(short_ones + ",last=" + std::string(100, 'z')), short_ones);
}

TEST(B3, IsReadFromOneHeader) {
  const auto full = read_b3("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90");
  const auto brief = read_b3("64fe8b2a57d3eff7-e457b5a2e4d86bd1");

  ASSERT_TRUE(full && brief);
  EXPECT_EQ(full->sampled, true);
  EXPECT_EQ(hex(brief->trace), "000000000000000064fe8b2a57d3eff7");
  EXPECT_EQ(brief->sampled, std::nullopt) << "the sender left it open";
  EXPECT_EQ(read_b3("64fe8b2a57d3eff7-e457b5a2e4d86bd1-d")->sampled, true);
  EXPECT_EQ(read_b3("64fe8b2a57d3eff7-e457b5a2e4d86bd1-0")->sampled, false);
}

TEST(B3, IsIgnoredWhenMalformed) {
  for (const std::string_view text :
       {"", "0", "1", "-", "64fe8b2a57d3eff-e457b5a2e4d86bd1", "64fe8b2a57d3eff7-e457b5a2e4d86bd",
        "64fe8b2a57d3eff7-e457b5a2e4d86bd1-2", "64fe8b2a57d3eff7-e457b5a2e4d86bd1-1-x",
        "0000000000000000-e457b5a2e4d86bd1-1", "64fe8b2a57d3eff7-0000000000000000-1",
        "64fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90-1"})
    EXPECT_FALSE(read_b3(text)) << text;
}

TEST(Jaeger, IsReadWithNumbersOfAnyLength) {
  const auto context = read_jaeger("3a:b:0:3");

  ASSERT_TRUE(context);
  EXPECT_EQ(hex(context->trace), "0000000000000000000000000000003a");
  EXPECT_EQ(hex(context->span), "000000000000000b");
  EXPECT_EQ(context->sampled, true);
  EXPECT_EQ(read_jaeger("3a:b:0:0")->sampled, false);
  for (const std::string_view text :
       {"", "::", ":::", "0:b:0:1", "3a:0:0:1", "3a:b:0", "3a:b:0:1:1", "3a:b:0:100", "g:b:0:1"})
    EXPECT_FALSE(read_jaeger(text)) << text;
}

TEST(Propagators, AreNamedByTheEnvironment) {
  std::vector<std::string> unknown;

  EXPECT_EQ(read_propagators("", unknown), (Propagators{Propagator::TraceContext, Propagator::Baggage}));
  EXPECT_EQ(read_propagators("b3, jaeger ,none", unknown), (Propagators{Propagator::B3, Propagator::Jaeger}));
  EXPECT_TRUE(unknown.empty());
  EXPECT_EQ(read_propagators("xray,b3multi", unknown), Propagators{Propagator::B3Multi});
  EXPECT_EQ(unknown, std::vector<std::string>{"xray"});
}

TEST(Propagators, WriteWhatTheyRead) {
  const TraceContext context{
      .trace = read_traceparent(kParent)->trace, .span = read_traceparent(kParent)->span, .sampled = true};
  for (const Propagator one :
       {Propagator::TraceContext, Propagator::B3, Propagator::B3Multi, Propagator::Jaeger}) {
    Arena arena;
    http::Fields fields(arena);
    inject(context, fields, {one});

    EXPECT_EQ(extract(fields, {one}), context);
  }
}

TEST(Propagators, ReplaceWhatTheClientSent) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("Traceparent", kParent);
  fields.add("traceparent", "nonsense");
  fields.add("tracestate", "a=1");
  fields.add("tracestate", "b=2");

  EXPECT_FALSE(extract(fields, {Propagator::TraceContext})) << "two lines: which is meant?";
  inject({.trace = {1}, .span = {2}, .sampled = false}, fields, {Propagator::TraceContext});

  ASSERT_EQ(fields.size(), 1U) << "the state belonged to another trace";
  EXPECT_EQ(fields.get("traceparent"), "00-01000000000000000000000000000000-0200000000000000-00");
}

TEST(Propagators, JoinTheLinesOfTracestate) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("traceparent", kParent);
  fields.add("tracestate", "a=1");
  fields.add("Tracestate", "b=2");

  EXPECT_EQ(extract(fields, {Propagator::TraceContext})->state, "a=1,b=2");
}

TEST(Propagators, TheLastThatFindsSomethingCounts) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("traceparent", kParent);
  fields.add("X-B3-TraceId", "64fe8b2a57d3eff7");
  fields.add("X-B3-SpanId", "e457b5a2e4d86bd1");
  fields.add("X-B3-Sampled", "0");

  EXPECT_EQ(hex(extract(fields, {Propagator::TraceContext, Propagator::B3Multi})->span), "e457b5a2e4d86bd1");
  EXPECT_EQ(hex(extract(fields, {Propagator::TraceContext, Propagator::Jaeger})->span), "b7ad6b7169203331");
}

}  // namespace
}  // namespace fairlead::observe
