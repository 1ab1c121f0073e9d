#include "engine/middleware/errors.h"

#include "engine/http/canonical.h"
#include "engine/http/field_names.h"
#include "engine/http/url.h"
#include "engine/middleware/redirect_url.h"

#include <algorithm>
#include <array>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;

constexpr std::array<std::string_view, 3> kCredentials = {"Authorization", "Cookie", "Proxy-Authorization"};

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

template <class Names>
bool is_named(const Names& names, std::string_view name) {
  return std::ranges::any_of(names,
                             [&](std::string_view one) { return http::same_header_folded(one, name); });
}

}  // namespace

Configured<std::shared_ptr<const Errors>> Errors::make(Options options, Making& making) {
  auto made = std::make_shared<Errors>();
  if (options.status.empty()) return misconfigured("status", "must not be empty");
  auto statuses = StatusRanges::make("status", options.status, making.notices);
  if (!statuses) return std::unexpected(std::move(statuses.error()));
  made->statuses_ = std::move(*statuses);
  for (const auto& [text, status] : options.status_rewrites) {
    const auto range = make_status_range("statusRewrites", text, making.notices);
    if (!range) return std::unexpected(range.error());
    // One below 200 would not end the response.
    if (status < 200 || status > 999) return misconfigured("statusRewrites." + text, "is no status");
    made->rewrites_.emplace_back(*range, status);
  }
  if (options.service.empty()) return misconfigured("service", "is missing");
  made->pages_ = making.service ? making.service(options.service) : nullptr;
  if (!made->pages_) return misconfigured("service", "`" + options.service + "` does not exist or is broken");
  made->options_ = std::move(options);
  return made;
}

int Errors::final_status(int status) const {
  const auto found = std::ranges::find_if(rewrites_, [&](const auto& row) { return row.first.has(status); });
  return found == rewrites_.end() ? status : found->second;
}

void Errors::become_page_request(Exchange& x, int original, int status) const {
  std::string target = options_.query.empty() ? "/" : options_.query;
  replace_all(target, "{status}", std::to_string(status));
  replace_all(target, "{originalStatus}", std::to_string(original));
  if (target.find("{url}") != std::string::npos) {
    const std::string url =
        std::string(x.request.scheme) + "://" + std::string(x.request.authority) + request_uri(x);
    replace_all(target, "{url}", http::percent_encode(url));
  }
  if (!target.starts_with('/')) target.insert(0, "/");
  target.resize(std::min(target.find('#'), target.size()));
  // Spaces and bytes beyond ASCII of the option become escapes.
  if (auto escaped = normalized_url(target)) target = std::move(*escaped);

  http::RequestHead& request = x.request;
  request.method = "GET";
  const auto mark = target.find('?');
  request.has_query = mark != std::string::npos;
  request.query = request.has_query ? target.substr(mark + 1) : std::string();
  request.path = target.substr(0, mark);
  request.content_length.reset();
  request.chunked = request.expects_continue = false;
  request.upgrade = {};
  request.fields.remove(http::Name::Expect);
  const auto& only = options_.error_request_headers;
  request.fields.remove_if([&](const http::Field& line) {
    return only ? !is_named(*only, line.name) && !http::is_managed(line) : is_named(kCredentials, line.name);
  });
}

Task<Response> Errors::handle(Exchange& x, exchange::Next next) const {
  http::RequestHead before = x.request;
  std::optional<Response> response;
  response.emplace(co_await next(x));
  const int original = response->head.status;
  if (original < 200 || !statuses_.has(original)) co_return std::move(*response);

  const int status = final_status(original);
  std::optional<Error> cause = std::move(response->cause);
  response.reset();  // what is left of it may still be reading the body
  x.body.reset();
  x.request = before;  // as it came here: inner middlewares rewrote it
  become_page_request(x, original, status);
  response.emplace(co_await pages_->serve(x));
  // Outer middlewares look at what the client asked for (Origin, the method), not at the request for a page.
  x.request = std::move(before);
  if (response->cause) {
    // No page: our own says what the client must know, and the log why.
    Error& why = x.record.cause.emplace(cause ? std::move(*cause) : *response->cause);
    why.detail = (cause ? why.detail + "; " : std::string()) + "no error page: " + response->cause->detail;
    co_return exchange::answer(x, status);
  }
  response->head.status = status;
  response->head.reason = {};
  if (http::never_has_content(status)) response->body.reset();  // nobody would read it to its end
  response->cause = std::move(cause);
  co_return std::move(*response);
}

}  // namespace fairlead::middleware
