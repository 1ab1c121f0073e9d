#include "engine/middleware/maintenance.h"

#include <chrono>

namespace fairlead::middleware {
namespace {

constexpr std::string_view kDefaultMessage = "Down for maintenance. Please try again later.";

// Rounded up: an early retry is answered 503 again.
std::string whole_seconds(schema::Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return seconds > 0 ? std::to_string(seconds) : std::string();
}

}  // namespace

Configured<std::shared_ptr<const Maintenance>> Maintenance::make(Options options, Making&) {
  auto allowed = IpSet::make("sourceRange", options.source_range);
  if (!allowed) return std::unexpected(allowed.error());
  auto strategy = IpStrategy::make(options.ip_strategy.value_or(IpStrategyOptions{}), "ipStrategy");
  if (!strategy) return std::unexpected(strategy.error());
  return std::make_shared<const Maintenance>(std::move(options), std::move(*allowed), std::move(*strategy));
}

Maintenance::Maintenance(Options options, IpSet allowed, IpStrategy strategy)
    : enabled_(options.enabled),
      message_(options.message.empty() ? std::string(kDefaultMessage) : std::move(options.message)),
      retry_after_(whole_seconds(options.retry_after)),
      allowed_(std::move(allowed)),
      strategy_(std::move(strategy)) {}

std::optional<exchange::Response> Maintenance::on_request(exchange::Exchange& x) const {
  if (!enabled_) return std::nullopt;
  if (!allowed_.empty())
    if (const auto ip = strategy_.ip(x); ip && allowed_.contains(*ip)) return std::nullopt;
  x.record.reason = "maintenance";
  x.record.cause = Error{503, Fault::Client, false, "maintenance"};
  exchange::Response response = exchange::answer(x, 503, message_);
  response.cause = x.record.cause;
  if (!retry_after_.empty()) response.head.fields.set("Retry-After", retry_after_);
  return response;
}

}  // namespace fairlead::middleware
