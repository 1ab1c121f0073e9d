#include "engine/middleware/basic_auth.h"

#include "engine/event/offload.h"
#include "engine/middleware/credentials.h"
#include "engine/middleware/htpasswd.h"

#include <algorithm>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;

// One text for both: who may see it learns no names by it.
constexpr const char* kRefused = "basicAuth: unknown user or wrong password";

Configured<AuthUser> parse_entry(std::string_view entry) {
  const auto colon = entry.find(':');
  if (colon == std::string_view::npos) return misconfigured("", "is not of the form name:hash");
  if (entry.find(':', colon + 1) != std::string_view::npos)
    return misconfigured("", "has more than one colon");
  const std::string_view name = entry.substr(0, colon);
  const std::string_view hash = entry.substr(colon + 1);
  return AuthUser{std::string(name), std::string(hash), complaint_about_hash(hash).value_or("")};
}

}  // namespace

schema::Complaint header_name_or_empty(std::string_view text) {
  if (text.empty() || http::is_token(text)) return std::nullopt;
  return "is no header name";
}

schema::Complaint realm_text(std::string_view text) {
  if (http::is_field_value(text)) return std::nullopt;
  return "must not have control characters";
}

Configured<std::shared_ptr<const BasicAuth>> BasicAuth::make(Options options, Making& making) {
  auto made = std::make_shared<BasicAuth>();
  auto users = AuthUsers::make(options.users, options.users_file, &parse_entry, making);
  if (!users) return std::unexpected(std::move(users.error()));
  made->users_ = std::move(*users);
  made->cache_ = making.carry_over.get<SuccessCache>(making.name, making.options_hash);
  made->challenge_ = "Basic realm=\"" +
                     escape_quoted(options.realm.empty() ? std::string_view("traefik") : options.realm) + '"';
  made->options_ = std::move(options);
  return made;
}

Task<Response> BasicAuth::handle(Exchange& x, exchange::Next next) const {
  const auto line = authorization(x.request.fields);
  auto credentials = line ? parse_basic(*line) : std::nullopt;
  if (!credentials) return Task<Response>::ready(unauthorized(x, challenge_, why_unread(x, "basicAuth")));
  x.record.user = x.arena().copy(credentials->user);

  const auto table = users_->now();
  const std::string* hash = table->find(credentials->user);
  const bool known = hash != nullptr;
  if (!known) hash = table->stand_in(credentials->user);
  if (!hash) return Task<Response>::ready(unauthorized(x, challenge_, kRefused));
  // Asked for unknown users too: the question must not be quicker for them.
  const bool right_before = cache_->knows(SuccessCache::key(credentials->user, *hash, credentials->password));
  if (known && right_before) {
    pass_identity(x, credentials->user, options_.remove_header, options_.header_field);
    return next(x);
  }
  return verify(x, next, std::move(*credentials), *hash, known);
}

Task<Response> BasicAuth::verify(Exchange& x, exchange::Next next, BasicCredentials credentials,
                                 std::string hash, bool known) const {
  Result<bool> matches = co_await event::Offload::shared().run(
      x.loop, event::Lane::Hashes,
      [hash, password = credentials.password] { return verify_password(hash, password); });
  if (!matches) co_return exchange::failure(x, std::move(matches.error()));
  if (!*matches || !known) co_return unauthorized(x, challenge_, kRefused);
  cache_->remember(SuccessCache::key(credentials.user, hash, credentials.password));
  pass_identity(x, credentials.user, options_.remove_header, options_.header_field);
  Response response = co_await next(x);
  co_return response;
}

}  // namespace fairlead::middleware
