#include "engine/telemetry/spans.h"

#include "engine/observe/test_facts.h"
#include "engine/observe/trace.h"

#include <gtest/gtest.h>
#include <protozero/pbf_reader.hpp>

#include <map>

namespace fairlead::telemetry {
namespace {

using protozero::pbf_reader;

// A span, read back: texts and numbers of its attributes as text, lists joined by '|'.
struct Read {
  std::string trace, id, parent, name, state, why;
  std::uint64_t begun = 0, ended = 0;
  int kind = 0, status = 0;
  std::map<std::string, std::string> attributes;
};

std::string read_value(pbf_reader value) {
  std::string out;
  while (value.next()) switch (value.tag()) {
      case 1: out = value.get_string(); break;
      case 3: out = std::to_string(value.get_int64()); break;
      case 5: {
        pbf_reader array = value.get_message();
        while (array.next(1)) out += read_value(array.get_message()) + "|";
        break;
      }
      default: value.skip();
    }
  return out;
}

Read read_span(pbf_reader span) {
  Read out;
  while (span.next()) switch (span.tag()) {
      case 1: out.trace = span.get_bytes(); break;
      case 2: out.id = span.get_bytes(); break;
      case 3: out.state = span.get_string(); break;
      case 4: out.parent = span.get_bytes(); break;
      case 5: out.name = span.get_string(); break;
      case 6: out.kind = span.get_enum(); break;
      case 7: out.begun = span.get_fixed64(); break;
      case 8: out.ended = span.get_fixed64(); break;
      case 9: {
        pbf_reader pair = span.get_message();
        std::string key;
        while (pair.next())
          if (pair.tag() == 1)
            key = pair.get_string();
          else
            out.attributes[key] = read_value(pair.get_message());
        break;
      }
      case 15: {
        pbf_reader status = span.get_message();
        while (status.next())
          if (status.tag() == 2)
            out.why = status.get_string();
          else
            out.status = status.get_enum();
        break;
      }
      default: span.skip();
    }
  return out;
}

std::vector<Read> read_spans(const std::string& encoded) {
  std::vector<Read> out;
  pbf_reader scope(encoded);
  while (scope.next(2)) out.push_back(read_span(scope.get_message()));
  return out;
}

std::vector<Read> encode(const test::SomeFacts& some, const observe::Trace& trace) {
  observe::Facts facts = some.facts();
  facts.trace = &trace;
  std::string out;
  const std::size_t count = append_spans(out, facts);
  auto read = read_spans(out);
  EXPECT_EQ(count, read.size());
  return read;
}

constexpr std::uint64_t kBegun = 1'700'000'000'012'500'000;

TEST(Spans, TellTheServersFromTheRecord) {
  test::SomeFacts some;
  const observe::Tracer tracer{.response_headers = {"content-type"}, .safe_query = {"id"}};
  const observe::Trace trace(
      tracer, observe::TraceContext{.trace = {7}, .span = {9}, .sampled = true, .state = "a=1"}, false);

  const auto spans = encode(some, trace);

  ASSERT_EQ(spans.size(), 1U);
  const Read& server = spans[0];
  EXPECT_EQ(server.trace, std::string("\7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
  EXPECT_EQ(server.parent, std::string("\x9\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(server.id.size(), 8U);
  EXPECT_EQ(server.state, "a=1");
  EXPECT_EQ(server.name, "GET");
  EXPECT_EQ(server.kind, 2);
  EXPECT_EQ(server.begun, kBegun);
  EXPECT_EQ(server.ended, kBegun + 12'000'000);
  EXPECT_EQ(server.status, 0);
  EXPECT_EQ(server.attributes.at("url.path"), "/cart");
  EXPECT_EQ(server.attributes.at("url.query"), "id=7");
  EXPECT_EQ(server.attributes.at("client.address"), "192.0.2.7");
  EXPECT_EQ(server.attributes.at("client.port"), "40000");
  EXPECT_EQ(server.attributes.at("http.response.status_code"), "200");
  EXPECT_EQ(server.attributes.at("http.response.header.content-type"), "text/html|");
}

TEST(Spans, OfATargetInAbsoluteFormTellItsPath) {
  test::SomeFacts some;
  some.record.target = "http://shop.example.com?token=1";
  const observe::Tracer tracer;
  const observe::Trace trace(tracer, std::nullopt, false);

  const auto spans = encode(some, trace);

  EXPECT_EQ(spans[0].attributes.at("url.query"), "token=REDACTED");
  EXPECT_EQ(spans[0].parent, "");
}

TEST(Spans, SayWhatFailed) {
  test::SomeFacts some;
  some.record.status = 502;
  some.record.cause = Error{502, Fault::Upstream, false, "connect: refused"};
  const observe::Tracer tracer;
  observe::Trace trace(tracer, std::nullopt, false);
  observe::OpenSpan open(trace, observe::SpanKind::Client, "ReverseProxy", some.record.begun);
  open.span()->failed = true;
  open.span()->why = "reset";
  open.span()->add("server.port", 80);
  open.end(some.record.begun + std::chrono::milliseconds(2));

  const auto spans = encode(some, trace);

  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].status, 2);
  EXPECT_EQ(spans[0].why, "connect: refused");
  EXPECT_EQ(spans[1].status, 2);
  EXPECT_EQ(spans[1].why, "reset");
  EXPECT_EQ(spans[1].kind, 3);
  EXPECT_EQ(spans[1].parent, spans[0].id);
  EXPECT_EQ(spans[1].attributes.at("server.port"), "80");
  EXPECT_EQ(spans[1].ended, kBegun + 2'000'000);
}

TEST(Spans, ThatWereCutOffEndWithTheirExchange) {
  test::SomeFacts some;
  const observe::Tracer tracer;
  observe::Trace trace(tracer, std::nullopt, false);
  {
    const observe::OpenSpan open(trace, observe::SpanKind::Client, "ReverseProxy", some.record.begun);
  }

  EXPECT_EQ(encode(some, trace)[1].ended, kBegun + 12'000'000);
}

TEST(Spans, AreNoneWhenTheTraceIsNotSampled) {
  test::SomeFacts some;
  const observe::Tracer tracer{.sample_rate = 0};
  const observe::Trace trace(tracer, std::nullopt, false);

  EXPECT_TRUE(encode(some, trace).empty());
}

}  // namespace
}  // namespace fairlead::telemetry
