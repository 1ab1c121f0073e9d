#include "engine/middleware/retry.h"

#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

using namespace std::chrono_literals;
using exchange::Exchange;
using exchange::Response;
using testing::HasSubstr;

// A server that answers these codes one after the other; 0 stands for a refused connection, 1 for one that
// broke after the request was sent.
test::StubService server(std::vector<int> codes, std::string* read = nullptr) {
  return test::StubService([codes, read, at = std::size_t{0}](Exchange& x) mutable {
    const int code = codes[at++];
    x.reached_proxy = true;
    if (code == 0) return exchange::failure(x, {502, Fault::Upstream, true, "refused"});
    x.sent_upstream = true;
    if (read) *read += test::text_of(x.body) + "|";
    if (code == 1) return exchange::failure(x, {502, Fault::Upstream, false, "broke"});
    Response response(x.arena());
    response.head.status = code;
    return response;
  });
}

int status_of(const test::Made& made, test::TestExchange& x, const test::StubService& service) {
  return test::run_waiting(*made, x, service).head.status;
}

TEST(Retry, TriesAgainWhatNoServerSaw) {
  const test::Made made("retry", {{"attempts", "3"}});
  auto x = test::request("POST", "/");
  x.with_body("abc");
  std::string read;
  const auto service = server({0, 0, 200}, &read);

  EXPECT_EQ(status_of(made, x, service), 200);

  EXPECT_EQ(service.calls, 3);
  EXPECT_EQ(read, "abc|");
  EXPECT_EQ(x.record.retries, 2);
  EXPECT_FALSE(x.record.cause) << "the last try went well";
}

TEST(Retry, PassesTheLastAnswerAndNothingThatWasSent) {
  const test::Made made("retry", {{"attempts", "2"}});
  auto x = test::get("/");
  const auto refused = server({0, 0, 200});
  EXPECT_EQ(status_of(made, x, refused), 502);
  EXPECT_EQ(refused.calls, 2);

  const auto broken = server({1, 200});
  EXPECT_EQ(status_of(made, x, broken), 502);
  EXPECT_EQ(broken.calls, 1);
}

TEST(Retry, TriesAgainForAStatusWithTheSameBody) {
  const test::Made made("retry", {{"attempts", "3"}, {"status", "500,502-504"}});
  auto x = test::request("PUT", "/");
  x.with_body("abc");
  std::string read;
  const auto service = server({500, 1, 200}, &read);

  EXPECT_EQ(status_of(made, x, service), 200);

  EXPECT_EQ(read, "abc|abc|abc|");
}

TEST(Retry, MethodsThatAreNotIdempotentNeedLeave) {
  for (const bool leave : {false, true}) {
    const test::Made made(
        "retry",
        {{"attempts", "2"}, {"status", "500"}, {"retryNonIdempotentMethod", leave ? "true" : "false"}});
    auto x = test::request("POST", "/");
    EXPECT_EQ(status_of(made, x, server({500, 200})), leave ? 200 : 500);
  }
}

TEST(Retry, ALargerBodySwitchesStatusRetriesOff) {
  const test::Made made("retry", {{"attempts", "2"}, {"status", "500"}, {"maxRequestBodyBytes", "3"}});
  for (const auto& [body, expected] : {std::pair{"abc", 200}, {"abcd", 500}}) {
    auto x = test::request("PUT", "/");
    x.with_body(body);
    std::string read;
    EXPECT_EQ(status_of(made, x, server({500, 200}, &read)), expected);
  }
  auto x = test::request("PUT", "/");
  x.with_body("abcd");
  EXPECT_EQ(status_of(made, x, server({0, 200})), 200) << "nothing of it was read";
}

TEST(Retry, WhatAnotherMiddlewareAnsweredIsLeftAlone) {
  const test::Made made("retry", {{"attempts", "2"}, {"status", "401"}});
  auto x = test::get("/");
  const test::StubService other([](Exchange& own) { return exchange::answer(own, 401); });

  EXPECT_EQ(status_of(made, x, other), 401);
  EXPECT_EQ(other.calls, 1);
}

TEST(Retry, AServiceWithoutServersIsAskedAgainForItsStatusOnly) {
  for (const auto& [status, calls] : {std::pair{"500", 1}, {"503", 3}}) {
    const test::Made made("retry", {{"attempts", "3"}, {"status", status}});
    auto x = test::get("/");
    const test::StubService none([](Exchange& own) {
      return exchange::failure(own, {503, Fault::Upstream, true, "no available server"});
    });

    EXPECT_EQ(status_of(made, x, none), 503);
    EXPECT_EQ(none.calls, calls) << status;
  }
}

TEST(Retry, EachTryBeginsWithTheRequestAsItCame) {
  const test::Made made("retry", {{"attempts", "2"}});
  auto x = test::get("/a");
  const test::StubService service([](Exchange& own) {
    EXPECT_EQ(own.request.path, "/a");
    EXPECT_EQ(own.request.fields.size(), 0u);
    own.request.path = "/rewritten";
    own.request.fields.add("X-Extra", "1");
    return exchange::failure(own, {502, Fault::Upstream, true, "refused"});
  });

  status_of(made, x, service);

  EXPECT_EQ(service.calls, 2);
}

TEST(Retry, PausesAndStopsInTime) {
  const test::Made pausing("retry", {{"attempts", "3"}, {"initialInterval", "20ms"}});
  auto x = test::get("/");
  x.loop.run_once(0ns);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(status_of(pausing, x, server({0, 0, 200})), 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 20ms);

  const test::Made limited("retry", {{"attempts", "9"}, {"initialInterval", "1h"}, {"timeout", "1s"}});
  const auto service = server({0, 200});
  EXPECT_EQ(status_of(limited, x, service), 502);
  EXPECT_EQ(service.calls, 1);
}

TEST(Retry, RefusesWhatCannotBe) {
  EXPECT_THAT(test::Made("retry", {{"attempts", "0"}}).error(), HasSubstr("attempts"));
  EXPECT_THAT(test::Made("retry", {{"status", "500"}}).error(), HasSubstr("attempts"));
  EXPECT_THAT(test::Made("retry", {{"attempts", "2"}, {"status", "5xx"}}).error(), HasSubstr("status"));
  EXPECT_THAT(test::Made("retry", {{"attempts", "2"}, {"disableRetryOnNetworkError", "true"}}).error(),
              HasSubstr("disableRetryOnNetworkError"));
}

}  // namespace
}  // namespace fairlead::middleware
