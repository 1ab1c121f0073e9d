#include "engine/middleware/request_id.h"

#include "engine/exchange/request_id.h"
#include "engine/exchange/trailer_guard.h"
#include "engine/http/field_names.h"

namespace fairlead::middleware {

Configured<std::shared_ptr<const RequestId>> RequestId::make(Options options, Making&) {
  if (!http::is_token(options.header)) return misconfigured("header", "is no name of a header");
  return std::make_shared<const RequestId>(std::move(options));
}

std::optional<exchange::Response> RequestId::on_request(exchange::Exchange& x) const {
  http::Fields& fields = x.request.fields;
  if (options_.trust && exchange::is_request_id(fields.get(options_.header))) return std::nullopt;
  fields.remove_if(
      [&](const http::Field& line) { return http::same_header_folded(line.name, options_.header); });
  guard_trailers(x, options_.header);
  fields.append(options_.header, exchange::new_request_id(x.arena()), http::known_name(options_.header));
  return std::nullopt;
}

void RequestId::on_response(exchange::Exchange& x, exchange::Response& response) const {
  if (!options_.response || response.head.status == 101) return;
  const std::string_view id = x.request.fields.get(options_.header);
  if (!id.empty()) response.head.fields.set(options_.header, id);
}

}  // namespace fairlead::middleware
