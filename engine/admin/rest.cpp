#include "engine/admin/rest.h"

#include "engine/base/memory_budget.h"
#include "engine/event/offload.h"
#include "engine/exchange/exchange.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace fairlead::admin {
namespace {

constexpr std::string_view kProviders = "/api/providers/";
constexpr std::size_t kMaxBody = 16 << 20;  // bytes
constexpr std::size_t kChunk = 64 << 10;

Task<Result<std::string>> whole_body(http::BodyPtr body) {
  std::string out;
  while (body) {
    Result<http::Chunk> chunk = co_await body->read(kChunk);
    if (!chunk) co_return std::unexpected(std::move(chunk.error()));
    if (out.size() + chunk->bytes.size() > kMaxBody)
      co_return fail(413, Fault::Client, fmt::format("a configuration of more than {} bytes", kMaxBody));
    if (MemoryBudget::instance().exhausted())
      co_return fail(503, Fault::Proxy, "no memory for the configuration that is put");
    out += chunk->bytes;
    if (chunk->last) break;
  }
  co_return out;
}

exchange::Response refusal(exchange::Exchange& x, const std::string& why) {
  return exchange::plain(x, 400, exchange::kPlainText, x.arena().copy(why + '\n'));
}

}  // namespace

Task<exchange::Response> Rest::serve(exchange::Exchange& x) const {
  const std::string_view path = x.request.path;
  const std::string_view provider =
      path.starts_with(kProviders) ? path.substr(kProviders.size()) : std::string_view{};
  if (provider.empty() || provider.find('/') != provider.npos) co_return exchange::answer(x, 404);
  if (x.request.method != "PUT") {
    exchange::Response response = exchange::plain(x, 405, exchange::kPlainText, "");
    response.head.fields.add("Allow", "PUT");
    co_return response;
  }
  if (provider != "rest") co_return refusal(x, "Only 'rest' provider can be updated through the REST API");
  if (!sources_->put_configuration) co_return exchange::answer(x, 404);
  Result<std::string> body = co_await whole_body(std::move(x.body));
  if (!body) co_return exchange::failure(x, std::move(body.error()));
  using Outcome = std::expected<std::string, std::string>;
  Result<Outcome> put = co_await event::Offload::shared().run(
      x.loop, event::Lane::Files, [text = std::move(*body), sources = sources_]() -> Outcome {
        return sources->put_configuration(text);
      });
  if (!put) co_return exchange::failure(x, std::move(put.error()));
  if (!*put) co_return refusal(x, put->error());
  co_return exchange::plain(x, 200, "application/json", x.arena().copy(**put));
}

}  // namespace fairlead::admin
