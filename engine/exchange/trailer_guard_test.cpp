#include "engine/exchange/trailer_guard.h"

#include "engine/exchange/test_exchange.h"

#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

class WithTrailers final : public http::Body {
 public:
  explicit WithTrailers(http::Fields& fields) : fields_(fields) {}
  Task<Result<http::Chunk>> read(std::size_t) override {
    return Task<Result<http::Chunk>>::ready(http::Chunk{.bytes = "abc", .last = true});
  }
  http::Fields* trailers() override { return &fields_; }

 private:
  http::Fields& fields_;
};

class TrailerGuard : public testing::Test {
 protected:
  TrailerGuard() {
    x_.request.chunked = true;
    for (const char* name : {"X-User", "x_user", "X.User", "X-Users", "X-Sum"}) fields_.add(name, "1");
    x_.body = http::BodyPtr(new WithTrailers(fields_));
  }
  std::string names() {
    std::string out;
    for (const http::Field& line : *x_.body->trailers()) out.append(line.name).append(" ");
    return out;
  }

  test::TestExchange x_{"POST", "/"};
  http::Fields fields_{x_.arena()};
};

TEST_F(TrailerGuard, RemovesTheNameInEverySpellingAndNothingElse) {
  guard_trailers(x_, "X-User");

  EXPECT_EQ(names(), "X-Users X-Sum ");
}

TEST_F(TrailerGuard, AsksWhoeverKnowsTheNames) {
  guard_trailers(x_, [](std::string_view name) { return name == "X-Sum"; });
  guard_trailers(x_, "X-User");

  EXPECT_EQ(names(), "X-Users ");
}

TEST_F(TrailerGuard, LeavesBodiesAloneThatCannotHaveTrailers) {
  const http::Body* before = x_.body.get();
  x_.request.chunked = false;

  guard_trailers(x_, "X-User");

  EXPECT_EQ(x_.body.get(), before);
  x_.request.version = http::Version::Http2;
  guard_trailers(x_, "X-User");
  EXPECT_NE(x_.body.get(), before);
}

TEST_F(TrailerGuard, EndsABodyWhoseTrailersAreRefused) {
  const auto check = [](std::string_view refused) {
    return [refused](std::string_view name) -> Result<> {
      if (name == refused) return fail(400, Fault::Client, "not this one");
      return {};
    };
  };
  check_trailers(x_, check("X-Other"));
  EXPECT_TRUE(x_.body->read(10).take());

  check_trailers(x_, check("X-Sum"));
  const Result<http::Chunk> read = x_.body->read(10).take();

  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().status, 400);
}

}  // namespace
}  // namespace fairlead::exchange
