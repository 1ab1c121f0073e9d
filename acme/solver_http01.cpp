#include "acme/solver_http01.h"

#include <fmt/format.h>

namespace fairlead::acme {

Result<> Http01Solver::present(const Authorization& authorization, const std::string& key_authorization,
                               std::stop_token stop) {
  table_.answer_http(authorization.token, key_authorization);
  if (!store_.is_shared()) return {};
  store_.update([resolver = resolver_, token = authorization.token, key_authorization](State& state) {
    state[resolver].tokens[token] = {.answer = key_authorization, .since = std::chrono::system_clock::now()};
  });
  sleep_for(kLookForOthers * 2, std::move(stop));
  return {};
}

Result<> Http01Solver::wait_until_visible(const Authorization&, const std::string&, std::stop_token stop) {
  if (delay_ > delay_.zero()) sleep_for(delay_, std::move(stop));
  return {};
}

Result<> Http01Solver::clean_up(const Authorization& authorization, const std::string&) {
  table_.forget_http(authorization.token);
  const std::string& token = authorization.token;
  const bool stored = store_.read([&](const State& state) {
    const auto own = state.find(resolver_);
    return own != state.end() && own->second.tokens.contains(token);
  });
  if (stored)
    store_.update([resolver = resolver_, token](State& state) { state[resolver].tokens.erase(token); });
  return {};
}

std::string http01_obstacle(const model::Acme& options, const model::Static& install) {
  if (!options.http_challenge) return {};
  const std::string& name = options.http_challenge->entry_point;
  if (name.empty()) return "httpChallenge.entryPoint is not set";
  const auto found = install.entry_points.find(name);
  if (found == install.entry_points.end())
    return fmt::format("httpChallenge.entryPoint: there is no entry point `{}`", name);
  const auto address = model::parse_listen_address(found->second.address);
  if (address && address->udp)
    return fmt::format("httpChallenge.entryPoint: `{}` is for UDP, and HTTP-01 needs TCP", name);
  return {};
}

}  // namespace fairlead::acme
