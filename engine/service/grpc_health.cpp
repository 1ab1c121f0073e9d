#include "engine/service/grpc_health.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace fairlead::service {
namespace {

constexpr std::size_t kFrameHead = 5;  // compressed or not, and the size of the message
constexpr std::uint64_t kServing = 1;
constexpr std::uint64_t kUnimplemented = 12;

// One number of a protocol buffer message, off the front of `rest`.
std::optional<std::uint64_t> take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

bool skip(std::string_view& rest, std::uint64_t bytes) {
  if (bytes > rest.size()) return false;
  rest.remove_prefix(static_cast<std::size_t>(bytes));
  return true;
}

// Field 1 of a HealthCheckResponse, 0 (UNKNOWN) where it is left out; nothing for what is no message. Unknown
// fields are skipped, and the last of several counts, as protocol buffers have it.
std::optional<std::uint64_t> serving_status(std::string_view message) {
  std::uint64_t status = 0;
  while (!message.empty()) {
    const auto key = take_varint(message);
    if (!key || *key >> 3 == 0) return std::nullopt;
    switch (*key & 7U) {
      case 0: {
        const auto value = take_varint(message);
        if (!value) return std::nullopt;
        if (*key >> 3 == 1) status = *value;
        break;
      }
      case 1:
        if (!skip(message, 8)) return std::nullopt;
        break;
      case 2: {
        const auto size = take_varint(message);
        if (!size || !skip(message, *size)) return std::nullopt;
        break;
      }
      case 5:
        if (!skip(message, 4)) return std::nullopt;
        break;
      default: return std::nullopt;
    }
  }
  return status;
}

std::string_view status_text(std::uint64_t status) {
  switch (status) {
    case 0: return "UNKNOWN";
    case 2: return "NOT_SERVING";
    case 3: return "SERVICE_UNKNOWN";
    default: return "an unknown status";
  }
}

std::string_view value_of(const upstream::FetchResponse& answer, std::string_view name) {
  for (const auto& [key, value] : answer.trailers)
    if (iequals(key, name)) return value;
  // An answer without a message has its status in the head.
  for (const auto& [key, value] : answer.headers)
    if (iequals(key, name)) return value;
  return {};
}

}  // namespace

std::string_view grpc_health_question() {
  static constexpr char kEmptyMessage[kFrameHead] = {};
  return {kEmptyMessage, kFrameHead};
}

std::optional<std::string> grpc_health_problem(const upstream::FetchResponse& answer) {
  if (answer.status != 200) return fmt::format("status {}, where gRPC answers 200", answer.status);
  const std::string_view code_text = value_of(answer, "Grpc-Status");
  const auto code = parse_digits(code_text);
  if (!code)
    return code_text.empty() ? "no gRPC server: the answer has no grpc-status" : "a broken grpc-status";
  if (*code == kUnimplemented) return "it does not implement grpc.health.v1.Health";
  if (*code != 0) return fmt::format("grpc-status {}: {}", *code, quoted(value_of(answer, "Grpc-Message")));
  const std::string_view body = answer.body;
  std::uint64_t size = 0;
  for (std::size_t i = 1; i < std::min(body.size(), kFrameHead); ++i)
    size = size << 8 | static_cast<unsigned char>(body[i]);
  if (body.size() < kFrameHead || body[0] != 0 || size != body.size() - kFrameHead)
    return "its answer is no gRPC message";
  const auto status = serving_status(body.substr(kFrameHead));
  if (!status) return "its answer is no HealthCheckResponse";
  if (*status == kServing) return std::nullopt;
  return fmt::format("it says {}", status_text(*status));
}

}  // namespace fairlead::service
