#include "engine/service/grpc_health.h"

#include <gtest/gtest.h>

namespace fairlead::service {
namespace {

using std::string_literals::operator""s;

upstream::FetchResponse answer(std::string message, std::string code = "0") {
  upstream::FetchResponse out;
  out.status = 200;
  out.body = "\0\0\0\0"s + static_cast<char>(message.size()) + message;
  out.trailers.emplace_back("grpc-status", code);
  return out;
}

TEST(GrpcHealth, AsksWithAnEmptyMessage) { EXPECT_EQ(grpc_health_question(), "\0\0\0\0\0"s); }

TEST(GrpcHealth, OnlyServingIsWell) {
  EXPECT_EQ(grpc_health_problem(answer("\x08\x01")), std::nullopt);
  EXPECT_EQ(grpc_health_problem(answer("\x08\x02")), "it says NOT_SERVING");
  EXPECT_EQ(grpc_health_problem(answer("")), "it says UNKNOWN");
  EXPECT_EQ(grpc_health_problem(answer("\x08\x03")), "it says SERVICE_UNKNOWN");
}

TEST(GrpcHealth, FieldsOfLaterVersionsAreSkipped) {
  EXPECT_EQ(grpc_health_problem(answer("\x12\x03"
                                       "abc\x08\x01\x1d\1\2\3\4")),
            std::nullopt);
}

TEST(GrpcHealth, BrokenMessagesAreNoAnswer) {
  for (const std::string& message : {"\x08"s, "\x08\xff"s, "\x12\x05"s + "ab", "\x0b"s, "\x00\x01"s,
                                     "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s})
    EXPECT_EQ(grpc_health_problem(answer(message)), "its answer is no HealthCheckResponse");
  upstream::FetchResponse cut = answer("\x08\x01");
  cut.body.pop_back();
  EXPECT_EQ(grpc_health_problem(cut), "its answer is no gRPC message");
  upstream::FetchResponse compressed = answer("\x08\x01");
  compressed.body[0] = 1;
  EXPECT_EQ(grpc_health_problem(compressed), "its answer is no gRPC message");
}

TEST(GrpcHealth, FailedCallsSayWhy) {
  EXPECT_EQ(grpc_health_problem(answer("", "12")), "it does not implement grpc.health.v1.Health");
  upstream::FetchResponse refused = answer("", "14");
  refused.trailers.emplace_back("grpc-message", "not yet");
  EXPECT_EQ(grpc_health_problem(refused), "grpc-status 14: \"not yet\"");
  upstream::FetchResponse web = answer("");
  web.trailers.clear();
  EXPECT_EQ(grpc_health_problem(web), "no gRPC server: the answer has no grpc-status");
  web.status = 404;
  EXPECT_EQ(grpc_health_problem(web), "status 404, where gRPC answers 200");
}

TEST(GrpcHealth, AnAnswerWithoutMessageHasItsStatusInTheHead) {
  upstream::FetchResponse head_only;
  head_only.status = 200;
  head_only.headers.emplace_back("grpc-status", "12");
  EXPECT_EQ(grpc_health_problem(head_only), "it does not implement grpc.health.v1.Health");
}

}  // namespace
}  // namespace fairlead::service
