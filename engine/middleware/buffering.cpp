#include "engine/middleware/buffering.h"

#include <fmt/format.h>

#include <array>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;
using exchange::Spool;
using exchange::SpoolLimits;

constexpr int kMaxRetries = 10;

enum : std::size_t { kAttempts, kResponseCode, kRequestMethod, kIsNetworkError };
constexpr std::array kFunctions = {
    Expression::Function{"Attempts", Expression::Type::Integer, 0},
    Expression::Function{"ResponseCode", Expression::Type::Integer, 0},
    Expression::Function{"RequestMethod", Expression::Type::Text, 0},
    Expression::Function{"IsNetworkError", Expression::Type::Truth, 0},
};

class Facts final : public Expression::Values {
 public:
  Facts(std::string_view method, int status, int attempt)
      : method_(method), status_(status), attempt_(attempt) {}
  bool truth(std::size_t) const override { return status_ == 502 || status_ == 504; }
  std::int64_t integer(std::size_t function, std::span<const double>) const override {
    return function == kAttempts ? attempt_ : status_;
  }
  std::string_view text(std::size_t) const override { return method_; }

 private:
  std::string_view method_;
  int status_;
  int attempt_;
};

SpoolLimits limits(std::int64_t memory, std::int64_t most, int status) {
  SpoolLimits made{.too_large_status = status};
  if (memory > 0) made.memory_bytes = static_cast<std::uint64_t>(memory);
  if (most > 0) made.max_bytes = static_cast<std::uint64_t>(most);
  return made;
}

}  // namespace

Configured<std::shared_ptr<const Buffering>> Buffering::make(Options options, Making&) {
  auto made = std::make_shared<Buffering>();
  made->request_ = limits(options.mem_request_body_bytes, options.max_request_body_bytes, 413);
  made->response_ = limits(options.mem_response_body_bytes, options.max_response_body_bytes, 500);
  if (!options.retry_expression.empty()) {
    auto parsed = Expression::parse(options.retry_expression, kFunctions);
    if (!parsed) return misconfigured("retryExpression", std::move(parsed.error().what));
    made->retry_.emplace(std::move(*parsed));
  }
  return made;
}

bool Buffering::wants_again(const Exchange& x, const Response& response, int attempt) const {
  return retry_ && attempt <= kMaxRetries &&
         retry_->holds(Facts(x.request.method, response.head.status, attempt));
}

Task<Response> Buffering::handle(Exchange& x, exchange::Next next) const {
  if (!x.request.upgrade.empty() || (x.body && x.body->tunnel())) {
    Response tunnel = co_await next(x);
    co_return tunnel;
  }
  std::optional<Spool> body;
  if (x.body) {
    body.emplace(x.loop, request_);
    Result<> filled = co_await body->fill(*x.body);
    if (!filled) {
      Error error = std::move(filled.error());
      if (error.status == request_.too_large_status)
        error.detail = fmt::format("buffering: {} (maxRequestBodyBytes)", error.detail);
      co_return exchange::failure(x, std::move(error));
    }
    body->frame(x.request);
    x.body = body->body_if_any();
  }
  const http::RequestHead original = x.request;
  std::optional<Response> response;
  for (int attempt = 1;; ++attempt) {
    response.emplace(co_await next(x));
    // A request without a body is never sent again, as in Traefik.
    if (!body || body->empty() || !wants_again(x, *response, attempt)) break;
    response.reset();  // before the body is put back: what is left of the try may still be reading it
    x.record.reason.clear();
    x.record.cause.reset();
    ++x.record.retries;
    x.request = original;
    x.body = body->body();
  }
  co_return co_await buffer_response(x, std::move(*response));
}

Task<Response> Buffering::buffer_response(Exchange& x, Response response) const {
  if (!response.body || response.body->tunnel() || http::never_has_content(response.head.status) ||
      x.request.method == "HEAD")
    co_return response;
  Spool body(x.loop, response_);
  Result<> filled = co_await body.fill(*response.body);
  if (!filled) {
    Error error = std::move(filled.error());
    error.retryable = false;
    if (error.fault == Fault::Client) {  // nobody's, as far as the spool knows: it was the server
      error.fault = Fault::Upstream;
      error.detail = fmt::format("buffering: the answer: {} (maxResponseBodyBytes)", error.detail);
    }
    co_return exchange::failure(x, std::move(error));
  }
  body.frame(response.head);
  response.flush_each = false;
  response.body = body.body_if_any();
  co_return response;
}

}  // namespace fairlead::middleware
