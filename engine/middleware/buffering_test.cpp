#include "engine/middleware/buffering.h"

#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;
using testing::HasSubstr;

TEST(Buffering, AChunkedRequestGetsALength) {
  const test::Made made("buffering", {{"memRequestBodyBytes", "2"}});
  auto x = test::request("POST", "/");
  x.body = test::chunks({"ab", "cd", "e"});
  x.request.chunked = true;
  std::string seen;
  const test::StubService service([&](Exchange& own) {
    EXPECT_EQ(own.request.content_length, 5u);
    EXPECT_FALSE(own.request.chunked);
    seen = test::text_of_waiting(own.loop, own.body);
    return Response(own.arena());
  });

  EXPECT_EQ(test::run_waiting(*made, x, service).head.status, 200);

  EXPECT_EQ(seen, "abcde");
}

// A body with one trailer field behind it.
class Trailed final : public http::Body {
 public:
  Trailed(Arena& arena, std::vector<std::string> parts)
      : parts_(test::chunks(std::move(parts))), fields_(arena) {
    fields_.add("X-Sum", "7");
  }
  Task<Result<http::Chunk>> read(std::size_t max_bytes) override { return parts_->read(max_bytes); }
  http::Fields* trailers() override { return &fields_; }

 private:
  http::BodyPtr parts_;
  http::Fields fields_;
};

TEST(Buffering, TrailersPassBothWaysBehindChunks) {
  const test::Made made("buffering", {{"memRequestBodyBytes", "0"}});
  for (const std::vector<std::string>& parts :
       {std::vector<std::string>{"ab", "c"}, std::vector<std::string>{}}) {
    auto x = test::request("POST", "/");
    x.body = http::BodyPtr(new Trailed(x.arena(), parts));
    x.request.chunked = true;
    const test::StubService service([&](Exchange& own) {
      EXPECT_TRUE(own.request.chunked);
      EXPECT_FALSE(own.request.content_length);
      if (own.body && own.body->trailers()) EXPECT_EQ(own.body->trailers()->get("X-Sum"), "7");
      Response response(own.arena());
      response.head.chunked = true;
      response.body = http::BodyPtr(new Trailed(own.arena(), parts));
      return response;
    });

    const Response response = test::run_waiting(*made, x, service);

    EXPECT_TRUE(response.head.chunked);
    EXPECT_FALSE(response.head.content_length);
    ASSERT_TRUE(response.body && response.body->trailers());
    EXPECT_EQ(response.body->trailers()->get("X-Sum"), "7");
    EXPECT_EQ(service.calls, 1);
  }
}

TEST(Buffering, NoServerIsAskedForWhatIsHere) {
  const test::Made made("buffering", {{"memRequestBodyBytes", "0"}});
  auto x = test::request("POST", "/");
  x.with_body("abc").header("Expect", "100-continue");
  x.request.expects_continue = true;
  const test::StubService service([&](Exchange& own) {
    EXPECT_FALSE(own.request.expects_continue);
    EXPECT_FALSE(own.request.fields.has("Expect"));
    return Response(own.arena());
  });

  test::run_waiting(*made, x, service);

  EXPECT_EQ(service.calls, 1);
}

TEST(Buffering, ALargerRequestIs413) {
  const test::Made made("buffering", {{"maxRequestBodyBytes", "4"}});
  auto announced = test::request("POST", "/");
  announced.with_body("12345");
  auto chunked = test::request("POST", "/");
  chunked.body = test::chunks({"123", "45"});
  const test::StubService service;

  const Response response = test::run_waiting(*made, announced, service);

  EXPECT_EQ(response.head.status, 413);
  EXPECT_EQ(test::text_of(response.body), "Request Entity Too Large");
  ASSERT_TRUE(announced.record.cause);
  EXPECT_EQ(announced.record.cause->detail,
            "buffering: the body is larger than 4 bytes (maxRequestBodyBytes)");
  EXPECT_EQ(test::run_waiting(*made, chunked, service).head.status, 413);
  EXPECT_EQ(service.calls, 0);
}

TEST(Buffering, TheResponseIsWholeBeforeItGoesBack) {
  const test::Made made("buffering", {{"maxResponseBodyBytes", "5"}});
  const auto answers = [&](std::vector<std::string> parts) {
    auto x = test::get("/");
    const test::StubService service([&](Exchange& own) {
      Response response(own.arena());
      response.head.chunked = response.flush_each = true;
      response.body = test::chunks(parts);
      return response;
    });
    return test::run_waiting(*made, x, service).head;
  };

  EXPECT_EQ(answers({"ab", "cd"}).content_length, 4u);
  EXPECT_EQ(answers({"abc", "def"}).status, 500);
  EXPECT_EQ(answers({"abc", "!"}).status, 502);
}

TEST(Buffering, AnAnswerThatIsTooLargeIsTroubleOfItsServerAndToldWithTheOption) {
  const test::Made made("buffering", {{"maxResponseBodyBytes", "5"}});
  auto x = test::get("/");
  const test::StubService service([](Exchange& own) {
    Response response(own.arena());
    response.head.content_length = 6;
    response.body = test::chunks({"abcdef"});
    return response;
  });

  EXPECT_EQ(test::run_waiting(*made, x, service).head.status, 500);

  ASSERT_TRUE(x.record.cause);
  EXPECT_EQ(x.record.cause->fault, Fault::Upstream) << "no fault of the client: the log tells it";
  EXPECT_EQ(x.record.cause->detail,
            "buffering: the answer: the body is larger than 5 bytes (maxResponseBodyBytes)");
}

TEST(Buffering, SendsAgainWhileTheExpressionHoldsAndAtMostTenTimes) {
  const test::Made made("buffering", {{"retryExpression", "IsNetworkError() && Attempts() < 3"}});
  ASSERT_TRUE(made) << made.error();
  const test::Made endless("buffering",
                           {{"retryExpression", "ResponseCode() >= 500 && RequestMethod() == \"PUT\""}});
  const auto calls = [](const test::Made& middleware, std::string_view body) {
    auto x = test::request("PUT", "/");
    if (!body.empty()) x.with_body(body);
    const test::StubService service([&](Exchange& own) {
      if (own.body) EXPECT_EQ(test::text_of(own.body), body);
      Response response(own.arena());
      response.head.status = 504;
      return response;
    });
    EXPECT_EQ(test::run_waiting(*middleware, x, service).head.status, 504);
    return service.calls;
  };

  EXPECT_EQ(calls(made, "abc"), 3);
  EXPECT_EQ(calls(endless, "abc"), 11);
  EXPECT_EQ(calls(endless, ""), 1) << "a request without a body is never sent again";
}

TEST(Buffering, TunnelsPass) {
  const test::Made made("buffering", {{"maxResponseBodyBytes", "1"}});
  auto x = test::get("/");
  x.request.upgrade = "websocket";
  const test::StubService service([](Exchange& own) {
    Response response(own.arena());
    response.head.status = 101;
    response.body = test::chunks({"frames"});
    return response;
  });

  EXPECT_EQ(test::text_of(test::run_waiting(*made, x, service).body), "frames");
}

TEST(Buffering, RefusesWhatCannotBe) {
  EXPECT_THAT(test::Made("buffering", {{"maxRequestBodyBytes", "-1"}}).error(),
              HasSubstr("maxRequestBodyBytes"));
  EXPECT_THAT(test::Made("buffering", {{"retryExpression", "Attempts() <"}}).error(),
              HasSubstr("retryExpression"));
}

}  // namespace
}  // namespace fairlead::middleware
