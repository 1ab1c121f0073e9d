#include "engine/middleware/errors.h"

#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;
using testing::HasSubstr;

struct Pages {
  std::string target;
  std::string method;
  std::vector<std::string> headers;
  bool had_body = false;
  int calls = 0;
};

struct MadeErrors {
  exchange::CarryOver carry_over;
  Pages pages;
  Configured<MiddlewarePtr> result;
  schema::Problems notices;
  explicit MadeErrors(const schema::Node& options, bool page_fails = false) {
    Making making{.name = "errors@docker",
                  .carry_over = carry_over,
                  .service = [&](std::string_view name) -> std::shared_ptr<const exchange::Service> {
                    if (name != "pages") return nullptr;
                    return std::make_shared<test::StubService>([this, page_fails](Exchange& x) {
                      ++pages.calls;
                      pages.method = x.request.method;
                      pages.target = x.request.path + (x.request.has_query ? "?" + x.request.query : "");
                      pages.had_body = x.body != nullptr;
                      pages.headers.clear();
                      for (const http::Field& line : x.request.fields) pages.headers.emplace_back(line.name);
                      if (page_fails) return exchange::failure(x, {502, Fault::Upstream, true, "refused"});
                      Response response(x.arena());
                      response.head.fields.add("Content-Type", "text/html");
                      response.body = http::text_body("<h1>page</h1>");
                      response.head.content_length = 13;
                      return response;
                    });
                  },
                  .middleware = nullptr};
    result = find("errors")->make(options, making);
    notices = std::move(making.notices);
  }
};

test::StubService answering(int status) {
  return test::StubService([status](Exchange& x) {
    Response response(x.arena());
    response.head.status = status;
    response.head.fields.add("X-Origin", "1");
    x.request.path = "/rewritten";
    return response;
  });
}

TEST(Errors, PutsThePageInPlaceAndKeepsTheStatus) {
  const MadeErrors made(
      test::options({{"status", "500-599"}, {"service", "pages"}, {"query", "/{status}.html?u={url}"}}));
  ASSERT_TRUE(made.result) << made.result.error().what;
  auto x = test::request("POST", "/a?b=c");
  x.with_body("abc").header("Accept", "a/b").header("Cookie", "s=1").header("authorization", "x");
  x.header("Proxy_Authorization", "x");

  const Response response = test::run(**made.result, x, answering(503));

  EXPECT_EQ(response.head.status, 503);
  EXPECT_EQ(test::text_of(response.body), "<h1>page</h1>");
  EXPECT_FALSE(response.head.fields.has("X-Origin"));
  EXPECT_EQ(made.pages.method, "GET");
  EXPECT_EQ(made.pages.target, "/503.html?u=http%3A%2F%2Fexample.com%2Fa%3Fb%3Dc");
  EXPECT_FALSE(made.pages.had_body);
  EXPECT_THAT(made.pages.headers, testing::ElementsAre("Accept"));
}

TEST(Errors, AsksForAPageByATargetThatCanBeSent) {
  const auto asked = [](const std::string& query) {
    const MadeErrors made(test::options({{"status", "500"}, {"service", "pages"}, {"query", query}}));
    auto x = test::get("/");
    test::run(**made.result, x, answering(500));
    return made.pages.target;
  };

  EXPECT_EQ(asked("/error pages/{status}?of=a b"), "/error%20pages/500?of=a%20b");
  EXPECT_EQ(asked("/é"), "/%C3%A9");
  EXPECT_EQ(asked("/page#top"), "/page");
  EXPECT_EQ(asked("/{status}%20of%2fus?u={url}"), "/500%20of%2fus?u=http%3A%2F%2Fexample.com%2F");
}

TEST(Errors, RangesHaveNoLimitsAndOneThatNeverMatchesIsSaid) {
  const MadeErrors wide(test::options({{"status", "0-599,404-403"}, {"service", "pages"}}));
  auto x = test::get("/");

  ASSERT_TRUE(wide.result);
  test::run(**wide.result, x, answering(404));
  EXPECT_EQ(wide.pages.calls, 1);
  ASSERT_EQ(wide.notices.size(), 1u);
  EXPECT_EQ(wide.notices[0].what, "`404-403` matches no status");
}

TEST(Errors, OtherCodesPass) {
  const MadeErrors made(test::options({{"status", "500-599"}, {"service", "pages"}}));
  auto x = test::get("/");

  EXPECT_EQ(test::run(**made.result, x, answering(404)).head.status, 404);
  EXPECT_EQ(made.pages.calls, 0);
}

TEST(Errors, RewritesTheStatus) {
  const MadeErrors made(test::options({{"status", "418"},
                                       {"service", "pages"},
                                       {"query", "/{status}-{originalStatus}"},
                                       {"statusRewrites.410-420", "404"}}));
  ASSERT_TRUE(made.result) << made.result.error().what;
  auto x = test::get("/");

  EXPECT_EQ(test::run(**made.result, x, answering(418)).head.status, 404);
  EXPECT_EQ(made.pages.target, "/404-418");
}

TEST(Errors, AStatusWithoutContentLeavesThePageAway) {
  const MadeErrors made(
      test::options({{"status", "500"}, {"service", "pages"}, {"statusRewrites.500", "204"}}));
  auto x = test::get("/");

  const Response response = test::run(**made.result, x, answering(500));

  EXPECT_EQ(response.head.status, 204);
  EXPECT_EQ(made.pages.calls, 1);
  EXPECT_FALSE(response.body);
}

TEST(Errors, NamedRequestHeadersAreTheOnlyOnes) {
  const MadeErrors made(
      test::options({{"status", "500"}, {"service", "pages"}, {"errorRequestHeaders", "Cookie,X-Theme"}}));
  auto x = test::get("/");
  x.header("Cookie", "s=1").header("x-theme", "dark").header("Accept", "a/b");

  test::run(**made.result, x, answering(500));

  EXPECT_THAT(made.pages.headers, testing::ElementsAre("Cookie", "x-theme"));
}

TEST(Errors, OuterMiddlewaresSeeTheRequestOfTheClient) {
  for (const bool page_fails : {false, true}) {
    const MadeErrors made(
        test::options({{"status", "500"}, {"service", "pages"}, {"errorRequestHeaders", "X-Theme"}}),
        page_fails);
    auto x = test::request("HEAD", "/a?b=c");
    x.header("Origin", "https://a.example");

    const Response response = test::run(**made.result, x, answering(500));

    EXPECT_EQ(response.head.status, 500);
    EXPECT_EQ(made.pages.method, "GET");
    EXPECT_EQ(x.request.method, "HEAD");
    EXPECT_EQ(x.request.path + '?' + x.request.query, "/a?b=c");
    EXPECT_EQ(x.request.fields.get("Origin"), "https://a.example");
  }
}

TEST(Errors, WithoutAPageTheClientStillLearnsTheStatus) {
  const MadeErrors made(test::options({{"status", "404"}, {"service", "pages"}}), true);
  auto x = test::get("/");

  const Response response = test::run(**made.result, x, answering(404));

  EXPECT_EQ(response.head.status, 404);
  EXPECT_EQ(test::text_of(response.body), "404 page not found\n");
  EXPECT_EQ(x.record.cause->detail, "no error page: refused");
}

TEST(Errors, TheLogLearnsWhatFailedFirstAndWhyThereIsNoPage) {
  const MadeErrors made(test::options({{"status", "502"}, {"service", "pages"}}), true);
  auto x = test::get("/");

  test::run(**made.result, x, test::StubService([](Exchange& own) {
    return exchange::failure(own, {502, Fault::Upstream, true, "closed"});
  }));

  EXPECT_EQ(x.record.cause->detail, "closed; no error page: refused");
}

TEST(Errors, RefusesWhatCannotBe) {
  EXPECT_THAT(MadeErrors(test::options({{"status", "500"}, {"service", "none"}})).result.error().what,
              HasSubstr("does not exist"));
  EXPECT_EQ(MadeErrors(test::options({{"service", "pages"}})).result.error().path, "status");
  EXPECT_EQ(MadeErrors(test::options({{"status", "5xx"}, {"service", "pages"}})).result.error().path,
            "status");
  EXPECT_EQ(
      MadeErrors(test::options({{"status", "500"}, {"service", "pages"}, {"statusRewrites.500", "101"}}))
          .result.error()
          .path,
      "statusRewrites.500");
}

}  // namespace
}  // namespace fairlead::middleware
