#include "engine/admin/api.h"

#include "engine/admin/debug.h"
#include "engine/base/strings.h"
#include "engine/event/offload.h"
#include "engine/exchange/exchange.h"
#include "engine/http/url.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace fairlead::admin {
namespace {

constexpr std::size_t kSmall = 200;  // elements that a worker may well look through itself

bool is_small(const model::Dynamic& dynamic) {
  return dynamic.http.routers.size() + dynamic.http.services.size() + dynamic.http.middlewares.size() +
             dynamic.tcp.routers.size() + dynamic.udp.routers.size() <
         kSmall;
}

// Counts certificates, of which there may be thousands however few the routers are, or compresses.
bool takes_long(const ApiQuery& query) {
  const std::string& first = query.segments.front();
  return first == "certificates" || first == "overview" || first == "support-dump";
}

exchange::Response respond(exchange::Exchange& x, const ApiAnswer& answer) {
  if (!answer.archive.empty()) {
    exchange::Response file = exchange::plain(x, 200, "application/gzip", x.arena().copy(answer.body));
    file.head.fields.add("Content-Disposition",
                         x.arena().join(std::string_view("attachment; filename="), answer.archive));
    return file;
  }
  exchange::Response response =
      exchange::plain(x, answer.status, answer.is_json() ? "application/json" : exchange::kPlainText,
                      x.arena().copy(answer.body));
  if (answer.next_page != 0)
    response.head.fields.add("X-Next-Page", fmt::format_int(answer.next_page).c_str());
  if (!answer.is_json()) response.head.fields.add("X-Content-Type-Options", "nosniff");
  return response;
}

}  // namespace

ApiAnswer ApiAnswer::error(int status, std::string_view message) {
  const nlohmann::json body{{"message", message}};
  return {.status = status,
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n',
          .next_page = 0};
}

std::optional<std::string_view> below_base(std::string_view path, const AdminView& view) {
  if (!view.install->api) return path;
  std::string_view base = view.install->api->base_path;
  if (base.ends_with('/')) base.remove_suffix(1);
  if (!path.starts_with(base)) return std::nullopt;
  path.remove_prefix(base.size());
  if (path.empty()) return "/";
  if (!path.starts_with('/')) return std::nullopt;
  return path;
}

Task<exchange::Response> Api::serve(exchange::Exchange& x) const {
  const auto view = sources_->view();
  if (!view) co_return exchange::failure(x, {503, Fault::Proxy, false, "no configuration yet"});
  const std::optional<std::string_view> path = below_base(x.request.path, *view);
  const bool is_debug =
      path && path->starts_with("/debug/") && view->install->api && view->install->api->debug;
  if (!is_debug && (!path || !path->starts_with("/api/"))) {
    if (view->install->api && view->install->api->dashboard) co_return co_await dashboard_.serve(x);
    co_return exchange::answer(x, 404);
  }
  if (x.request.method != "GET" && x.request.method != "HEAD") {
    exchange::Response refusal = exchange::plain(x, 405, exchange::kPlainText, "");
    refusal.head.fields.add("Allow", "GET, HEAD");
    co_return refusal;
  }
  if (is_debug) {
    Result<ApiAnswer> facts = co_await event::Offload::shared().run(
        x.loop, event::Lane::Files,
        [path = std::string(*path), sources = sources_] { return answer_debug(path, *sources); });
    if (!facts) co_return exchange::failure(x, std::move(facts.error()));
    co_return respond(x, *facts);
  }
  ApiQuery query;
  for (const std::string_view segment : split(path->substr(std::string_view("/api/").size()), '/')) {
    auto decoded = http::percent_decode(segment);
    if (!decoded) co_return exchange::answer(x, 404);
    query.segments.push_back(std::move(*decoded));
  }
  query.parameters = x.request.query;
  if (is_small(*view->dynamic) && !takes_long(query))
    co_return respond(x, answer_api(query, *view, *sources_));
  Result<ApiAnswer> made = co_await event::Offload::shared().run(
      x.loop, event::Lane::Files,
      [query = std::move(query), view, sources = sources_] { return answer_api(query, *view, *sources); });
  if (!made) co_return exchange::failure(x, std::move(made.error()));
  co_return respond(x, *made);
}

}  // namespace fairlead::admin
