#include "engine/exchange/chain.h"

#include "engine/exchange/test_exchange.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::exchange {
namespace {

class Mark final : public HeadMiddleware {
 public:
  Mark(std::string name, bool answers = false) : name_(std::move(name)), answers_(answers) {}
  std::optional<Response> on_request(Exchange& x) const override {
    x.request.path += ">" + name_;
    if (!answers_) return std::nullopt;
    return answer(x, 403);
  }
  void on_response(Exchange&, Response& response) const override {
    response.head.fields.add("X-Seen", name_);
  }

 private:
  std::string name_;
  bool answers_;
};

class Waiting final : public Middleware {
 public:
  Task<Response> handle(Exchange& x, Next next) const override {
    x.request.path += ">waiting";
    Response response = co_await next(x);
    response.head.fields.add("X-Seen", "waiting");
    co_return response;
  }
};

std::string seen(const Response& response) {
  std::string all;
  for (const http::Field& line : response.head.fields)
    if (line.name == "X-Seen") all += std::string(line.value) + " ";
  return all;
}

TEST(Chain, RunsRequestsInOrderAndResponsesInReverse) {
  auto service = std::make_shared<test::StubService>();
  const Chain chain({std::make_shared<Mark>("a"), std::make_shared<Waiting>(), std::make_shared<Mark>("b"),
                     std::make_shared<Mark>("c")},
                    service);
  test::TestExchange x = test::get("/");

  Task<Response> task = chain.serve(x);
  task.start(nullptr);
  ASSERT_TRUE(task.done());
  const Response response = task.take();

  EXPECT_EQ(x.request.path, "/>a>waiting>b>c");
  EXPECT_EQ(seen(response), "c b waiting a ");
  EXPECT_EQ(service->calls, 1);
}

TEST(Chain, AnAnswerOfAMiddlewarePassesTheOuterOnesOnly) {
  auto service = std::make_shared<test::StubService>();
  const Chain chain(
      {std::make_shared<Mark>("a"), std::make_shared<Mark>("b", true), std::make_shared<Mark>("c")}, service);
  test::TestExchange x = test::get("/");

  Task<Response> task = chain.serve(x);
  task.start(nullptr);
  const Response response = task.take();

  EXPECT_EQ(response.head.status, 403);
  EXPECT_EQ(seen(response), "a ");
  EXPECT_EQ(service->calls, 0);
}

}  // namespace
}  // namespace fairlead::exchange
