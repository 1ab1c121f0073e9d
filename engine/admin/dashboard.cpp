#include "engine/admin/dashboard.h"

#include "engine/admin/api.h"
#include "engine/admin/dashboard_page.h"
#include "engine/base/base64.h"
#include "engine/exchange/exchange.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <span>

namespace fairlead::admin {
namespace {

const std::string& page() {
  static const std::string text = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">"
      "<title>Fairlead</title><style>{}</style></head><body><header><h1 id=\"title\">Fairlead</h1>"
      "<small id=\"version\"></small><small>API: <a href=\"../api/overview\">overview</a>, "
      "<a href=\"../api/rawdata\">rawdata</a></small><input id=\"search\" type=\"search\" "
      "placeholder=\"Filter\" "
      "aria-label=\"Filter\"></header><main><noscript>This page asks the API, which is under <a "
      "href=\"../api/rawdata\">../api/</a>; without scripts, read it there.</noscript></main>"
      "<script>{}</script></body></html>\n",
      kDashboardStyle, kDashboardScript);
  return text;
}

// 'sha256-…' of an inline script or style (Content Security Policy, level 3).
std::string source_hash(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha256(), nullptr);
  return fmt::format("'sha256-{}'", base64(std::span(digest).first(size)));
}

// What stripPrefix took off the path, so that a redirection leads back to the same place.
std::string_view removed_prefix(const http::RequestHead& head) {
  const std::string_view prefix = head.fields.get(http::Name::XForwardedPrefix);
  const bool is_path = prefix.starts_with('/') && prefix.find("//") == prefix.npos &&
                       prefix.find('\\') == prefix.npos && !prefix.ends_with('/');
  return is_path ? prefix : std::string_view{};
}

}  // namespace

Dashboard::Dashboard(std::shared_ptr<const Sources> sources)
    : sources_(std::move(sources)),
      policy_(
          fmt::format("default-src 'none'; connect-src 'self'; script-src {}; style-src {}; base-uri 'none'; "
                      "form-action 'none'; frame-ancestors 'none'",
                      source_hash(kDashboardScript), source_hash(kDashboardStyle))) {}

Task<exchange::Response> Dashboard::serve(exchange::Exchange& x) const {
  const auto view = sources_->view();
  const auto path =
      view ? below_base(x.request.path, *view) : std::optional<std::string_view>(x.request.path);
  if (path == "/" || path == "/dashboard") {
    const std::string_view whole = x.request.path;
    const bool is_bare = path == "/" && !whole.ends_with('/');  // the base without a slash behind it
    const std::string_view base = is_bare ? whole : whole.substr(0, whole.size() - path->size());
    return Task<exchange::Response>::ready(exchange::redirect(
        x, path == "/" ? 302 : 301, x.arena().join(removed_prefix(x.request), base, "/dashboard/")));
  }
  if (path != "/dashboard/") return Task<exchange::Response>::ready(exchange::answer(x, 404));
  exchange::Response response = exchange::plain(x, 200, "text/html; charset=utf-8", page());
  response.head.fields.add("Content-Security-Policy", policy_);
  response.head.fields.add("X-Content-Type-Options", "nosniff");
  response.head.fields.add("Cache-Control", "no-cache");
  return Task<exchange::Response>::ready(std::move(response));
}

}  // namespace fairlead::admin
