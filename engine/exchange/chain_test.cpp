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

// Tells who is counted.
class Counting final : public Middleware {
 public:
  explicit Counting(std::string name) : name_(std::move(name)) {}
  Task<Response> handle(Exchange& x, Next next) const override {
    x.request.path.append(">").append(name_).append(":").append(next.owner(x));
    Response response = co_await next(x);
    co_return response;
  }
  std::string_view counts_as() const override { return name_; }

 private:
  std::string name_;
};

class Group final : public Middleware {
 public:
  explicit Group(std::vector<std::shared_ptr<const Middleware>> members) : members_(std::move(members)) {}
  Task<Response> handle(Exchange& x, Next next) const override { return next(x); }
  std::span<const std::shared_ptr<const Middleware>> members() const override { return members_; }

 private:
  std::vector<std::shared_ptr<const Middleware>> members_;
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

TEST(Chain, HoldsOneOfThoseThatCountTogetherWhereverItsGroupsNameIt) {
  using Members = std::vector<std::shared_ptr<const Middleware>>;
  const auto group =
      std::make_shared<Group>(Members{std::make_shared<Counting>("limit"), std::make_shared<Mark>("a")});
  const Chain chain({group, std::make_shared<Counting>("other"), std::make_shared<Counting>("limit"), group},
                    std::make_shared<test::StubService>());
  test::TestExchange x = test::get("/");
  x.router_name = "web@docker";

  Task<Response> task = chain.serve(x);
  task.start(nullptr);

  EXPECT_EQ(x.request.path, "/>limit:web@docker>a>other:web@docker>a");
}

TEST(Chain, TheMiddlewaresOfAServiceCountForIt) {
  const auto behind = std::make_shared<Chain>(
      std::vector<std::shared_ptr<const Middleware>>{std::make_shared<Counting>("limit")},
      std::make_shared<test::StubService>(), "service web@docker");
  const Chain chain({std::make_shared<Counting>("limit")}, behind);
  test::TestExchange x = test::get("/");
  x.router_name = "web@docker";

  Task<Response> task = chain.serve(x);
  task.start(nullptr);

  EXPECT_EQ(x.request.path, "/>limit:web@docker>limit:service web@docker");
}

}  // namespace
}  // namespace fairlead::exchange
