#include "engine/middleware/retry.h"

#include "engine/exchange/tee.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;
using exchange::Tee;

// Without `status` a body is sent again only while nothing of it left: this much may have been read by then.
constexpr std::uint64_t kUnsentBytes = 64 * 1024;
constexpr std::uint64_t kMemoryBytes = 2'097'152;

bool is_idempotent(std::string_view method) {
  return method != "POST" && method != "PATCH" && method != "LOCK";
}

}  // namespace

Configured<std::shared_ptr<const Retry>> Retry::make(Options options, Making& making) {
  auto made = std::make_shared<Retry>();
  if (options.attempts <= 0) return misconfigured("attempts", "must be greater than 0");
  auto statuses = StatusRanges::make("status", options.status, making.notices);
  if (!statuses) return std::unexpected(std::move(statuses.error()));
  made->statuses_ = std::move(*statuses);
  if (options.disable_retry_on_network_error && made->statuses_.empty())
    return misconfigured("disableRetryOnNetworkError", "leaves nothing to do without status");
  if (options.max_request_body_bytes < -1) return misconfigured("maxRequestBodyBytes", "must be -1 or more");
  made->options_ = std::move(options);
  return made;
}

Task<Response> Retry::handle(Exchange& x, exchange::Next next) const {
  return options_.attempts == 1 ? next(x) : repeat(x, next);
}

bool Retry::wants_again(const Exchange& x, const Response& response) const {
  if (response.head.status < 200) return false;  // a tunnel
  // A 503 of our own says that there is no server, or no room, to try: that is no network error.
  const bool tried = response.cause && response.cause->status != 503;
  const bool unsent = tried && (response.retryable() || (x.reached_proxy && !x.sent_upstream));
  if (unsent && !options_.disable_retry_on_network_error) return true;
  if (!x.reached_proxy && !response.retryable()) return false;  // another middleware's answer
  return statuses_.has(response.head.status) &&
         (options_.retry_non_idempotent_method || is_idempotent(x.request.method));
}

// Grows from initialInterval to about twice that before the last try, each spread by half of it both ways.
Duration Retry::pause_before(int attempt) const {
  if (options_.initial_interval <= Duration{}) return {};
  const double growth =
      std::pow(2.0, static_cast<double>(attempt - 1) / static_cast<double>(options_.attempts - 1));
  thread_local std::minstd_rand random{std::random_device{}()};
  const double spread = std::uniform_real_distribution<double>(0.5, 1.5)(random);
  return Duration(
      static_cast<std::int64_t>(static_cast<double>(options_.initial_interval.count()) * growth * spread));
}

Task<Response> Retry::repeat(Exchange& x, exchange::Next next) const {
  const http::RequestHead original = x.request;
  const TimePoint begun = x.loop.now();
  std::shared_ptr<Tee> body;
  if (x.body) {
    exchange::SpoolLimits limits{.memory_bytes = kMemoryBytes};
    if (statuses_.empty())
      limits.max_bytes = kUnsentBytes;
    else if (options_.max_request_body_bytes >= 0)
      limits.max_bytes = static_cast<std::uint64_t>(options_.max_request_body_bytes);
    const bool keep = !x.body->tunnel() && x.request.content_length.value_or(0) <= limits.max_bytes;
    body = std::make_shared<Tee>(std::move(x.body), x.loop, limits);
    if (!keep) body->stop_copying();
    x.body = body->body();
  }
  std::optional<Response> response;
  for (int attempt = 1;; ++attempt) {
    x.reached_proxy = x.sent_upstream = false;
    response.emplace(co_await next(x));
    if (attempt == options_.attempts || !wants_again(x, *response)) break;
    if (body && !body->replayable()) break;
    const Duration pause = pause_before(attempt);
    if (options_.timeout > Duration{} && x.loop.now() + pause - begun >= options_.timeout) break;

    // Before the body is put back: what is left of the try may still be reading it.
    response.reset();
    if (pause > Duration{}) co_await x.loop.sleep(pause);
    x.record.reason.clear();
    x.record.cause.reset();
    ++x.record.retries;
    x.request = original;  // inner middlewares rewrote it
    // The client has been told to send its body, or is when it is read.
    x.request.expects_continue = false;
    x.request.fields.remove(http::Name::Expect);
    if (body) x.body = body->body();
  }
  co_return std::move(*response);
}

}  // namespace fairlead::middleware
