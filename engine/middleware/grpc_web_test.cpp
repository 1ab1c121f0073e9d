#include "engine/middleware/grpc_web.h"

#include "engine/middleware/grpc_web_body.h"
#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;

// A body with trailers behind it.
class WithTrailers final : public http::Body {
 public:
  WithTrailers(Arena& arena, std::string_view text) : inner_(http::text_body(text)), trailers_(arena) {
    trailers_.add("Grpc-Status", "0");
    trailers_.add("Grpc-Message", "fine");
  }
  Task<Result<http::Chunk>> read(std::size_t max_bytes) override { return inner_->read(max_bytes); }
  http::Fields* trailers() override { return &trailers_; }

 private:
  http::BodyPtr inner_;
  http::Fields trailers_;
};

test::StubService grpc_server(std::string* read) {
  return test::StubService([read](Exchange& x) {
    *read = test::text_of(x.body);
    EXPECT_EQ(x.request.fields.get("Content-Type"), "application/grpc+proto");
    EXPECT_EQ(x.request.fields.get("Te"), "trailers");
    Response response(x.arena());
    response.head.fields.add("Content-Type", "application/grpc+proto");
    response.body = http::BodyPtr(new WithTrailers(x.arena(), "answer"));
    return response;
  });
}

const std::string kTrailers = "grpc-status: 0\r\ngrpc-message: fine\r\n";
const std::string kFrame = std::string("\x80\0\0\0\x24", 5) + kTrailers;

TEST(GrpcWeb, TrailersTravelAtTheEndOfTheBody) {
  const test::Made made("grpcWeb", {{"allowOrigins", "https://a.example.com"}});
  ASSERT_TRUE(made) << made.error();
  auto x = test::request("POST", "/pkg.Service/Call");
  x.header("Content-Type", "application/grpc-web+proto").header("Origin", "https://a.example.com");
  x.with_body("question");
  std::string read;

  const Response response = test::run(*made, x, grpc_server(&read));

  EXPECT_EQ(read, "question");
  EXPECT_EQ(response.head.fields.get("Content-Type"), "application/grpc-web+proto");
  EXPECT_EQ(response.head.fields.get("Access-Control-Allow-Origin"), "https://a.example.com");
  EXPECT_EQ(response.head.fields.get("Access-Control-Expose-Headers"),
            "Content-Type, grpc-status, grpc-message");
  EXPECT_EQ(test::text_of(response.body), "answer" + kFrame);
  EXPECT_EQ(x.sent_fields.get("Grpc-Status"), "0") << "for the access log";
}

TEST(GrpcWeb, TextIsBase64BothWays) {
  const test::Made made("grpcWeb", {{"allowOrigins", "*"}});
  auto x = test::request("POST", "/pkg.Service/Call");
  x.header("Content-Type", "application/grpc-web-text+proto");
  x.body = test::chunks({"cXVl", "c3Rp", "b", "24=", "ISE", "="});  // "question" and "!!", padded each
  std::string read;

  const Response response = test::run(*made, x, grpc_server(&read));

  EXPECT_EQ(read, "question!!");
  EXPECT_EQ(response.head.fields.get("Content-Type"), "application/grpc-web-text+proto");
  EXPECT_EQ(test::text_of(from_base64(http::BodyPtr(test::chunks({test::text_of(response.body)})))),
            "answer" + kFrame);
}

TEST(GrpcWeb, Base64MayHaveLineEnds) {
  EXPECT_EQ(test::text_of(from_base64(test::chunks({"cXVl\r\nc3Rpb", "\n24=\r", "\nISE=\r\n"}))),
            "question!!");
}

TEST(GrpcWeb, BrokenBase64BreaksTheBody) {
  EXPECT_EQ(test::text_of(from_base64(test::chunks({"YW!j"}))), "(broken)");
  EXPECT_EQ(test::text_of(from_base64(test::chunks({"YWJjY"}))), "(broken)");
  EXPECT_EQ(test::text_of(from_base64(test::chunks({"===="}))), "(broken)");
}

TEST(GrpcWeb, APreflightIsAnsweredHere) {
  const test::Made made("grpcWeb", {{"allowOrigins", "https://a.example.com"}});
  const test::StubService service;
  for (const bool known : {true, false}) {
    auto x = test::request("OPTIONS", "/pkg.Service/Call");
    x.header("Origin", known ? "https://a.example.com" : "https://b.example.com");
    x.header("Access-Control-Request-Method", "POST");
    x.header("Access-Control-Request-Headers", "content-type,x-grpc-web");

    const Response response = test::run(*made, x, service);

    EXPECT_EQ(response.head.status, 204);
    EXPECT_EQ(response.head.fields.has("Access-Control-Allow-Origin"), known);
    EXPECT_EQ(response.head.fields.get("Access-Control-Allow-Headers"),
              known ? "content-type,x-grpc-web" : "");
  }
  EXPECT_EQ(service.calls, 0);
}

TEST(GrpcWeb, OtherRequestsPassUntouched) {
  const test::Made made("grpcWeb", {{"allowOrigins", "*"}});
  auto x = test::request("POST", "/");
  x.header("Content-Type", "application/json");

  const Response response = test::run(*made, x);

  EXPECT_EQ(response.head.fields.size(), 0u);
}

}  // namespace
}  // namespace fairlead::middleware
