#include "engine/middleware/grpc_web.h"

#include "engine/base/strings.h"
#include "engine/middleware/grpc_web_body.h"

#include <algorithm>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;

constexpr std::string_view kGrpc = "application/grpc";
constexpr std::string_view kGrpcWeb = "application/grpc-web";
constexpr std::string_view kGrpcWebText = "application/grpc-web-text";

bool is_call(const Exchange& x) {
  return x.request.method == "POST" && istarts_with(x.request.fields.get(http::Name::ContentType), kGrpcWeb);
}

bool is_preflight(const Exchange& x) {
  if (x.request.method != "OPTIONS" || x.request.fields.get("Access-Control-Request-Method").empty())
    return false;
  return lower(x.request.fields.joined("Access-Control-Request-Headers")).find("x-grpc-web") !=
         std::string::npos;
}

// "application/grpc-web+proto" is "application/grpc+proto" there.
std::string with_type(std::string_view content_type, std::string_view old_type, std::string_view new_type) {
  return std::string(new_type) + std::string(content_type.substr(old_type.size()));
}

// Scripts of other origins may read every header of the answer, and the two that travel in its body.
void expose_all(http::Fields& fields) {
  std::vector<std::string> names;
  for (const http::Field& line : fields)
    if (std::ranges::find_if(names, [&](const std::string& one) { return iequals(one, line.name); }) ==
        names.end())
      names.emplace_back(line.name);
  names.emplace_back("grpc-status");
  names.emplace_back("grpc-message");
  fields.set("Access-Control-Expose-Headers", join(names, ", "));
}

}  // namespace

bool GrpcWeb::allows(std::string_view origin) const {
  return !origin.empty() && std::ranges::any_of(options_.allow_origins, [&](const std::string& one) {
    return one == "*" || one == origin;
  });
}

void GrpcWeb::add_cors(Exchange& x, http::Fields& fields) const {
  fields.add("Vary", "Origin");
  const std::string_view origin = x.request.fields.get("Origin");
  if (!allows(origin)) return;
  fields.set("Access-Control-Allow-Origin", origin);
  fields.set("Access-Control-Allow-Credentials", "true");
}

Response GrpcWeb::preflight(Exchange& x) const {
  Response response(x.arena());
  response.own = true;
  response.head.status = 204;
  http::Fields& fields = response.head.fields;
  add_cors(x, fields);
  fields.add("Vary", "Access-Control-Request-Method");
  fields.add("Vary", "Access-Control-Request-Headers");
  if (!allows(x.request.fields.get("Origin"))) return response;
  fields.add("Access-Control-Allow-Methods", x.request.fields.get("Access-Control-Request-Method"));
  fields.add("Access-Control-Allow-Headers", x.request.fields.joined("Access-Control-Request-Headers"));
  fields.add("Access-Control-Max-Age", "600");
  return response;
}

Task<Response> GrpcWeb::handle(Exchange& x, exchange::Next next) const {
  if (is_preflight(x)) return Task<Response>::ready(preflight(x));
  return is_call(x) ? translate(x, next) : next(x);
}

Task<Response> GrpcWeb::translate(Exchange& x, exchange::Next next) const {
  const std::string asked(x.request.fields.get(http::Name::ContentType));
  const bool as_text = istarts_with(asked, kGrpcWebText);
  const std::string_view own_type = as_text ? kGrpcWebText : kGrpcWeb;
  x.request.fields.set(http::Name::ContentType, with_type(asked, own_type, kGrpc));
  // gRPC servers refuse clients that do not take trailers.
  x.request.fields.set(http::Name::Te, "trailers");
  if (as_text && x.body) {
    x.body = from_base64(std::move(x.body));
    x.request.content_length.reset();
    x.request.chunked = true;
  }
  Response response = co_await next(x);
  http::ResponseHead& head = response.head;
  const std::string_view type = head.fields.get(http::Name::ContentType);
  if (istarts_with(type, kGrpc) && !istarts_with(type, kGrpcWeb)) {
    head.fields.set(http::Name::ContentType, with_type(type, kGrpc, own_type));
    head.fields.remove(http::Name::Trailer);
    head.fields.remove(http::Name::ContentLength);
    head.content_length.reset();
    head.chunked = true;
    response.flush_each = true;
    response.body = to_grpc_web(std::move(response.body), as_text, x.sent_fields);
  }
  expose_all(head.fields);
  add_cors(x, head.fields);
  co_return response;
}

}  // namespace fairlead::middleware
