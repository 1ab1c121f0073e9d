// The conditions of circuitBreaker and buffering.
#include "engine/middleware/breaker.h"

#include <cstdint>
#include <memory>

namespace {

struct Nothing final : fairlead::middleware::Expression::Values {};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::middleware;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto parsed = parse_breaker_condition(text)) {
    parsed->holds(Nothing());
    Breaker breaker(
        std::make_shared<const BreakerRules>(BreakerRules{.condition = parse_breaker_condition(text).value(),
                                                          .check_period = {},
                                                          .fallback = std::chrono::seconds(1),
                                                          .recovery = std::chrono::seconds(1)}));
    const fairlead::TimePoint now{std::chrono::hours(1)};
    breaker.record(502, std::chrono::milliseconds(3), now);
    breaker.lets_pass(now + std::chrono::seconds(2));
  }
  return 0;
}
