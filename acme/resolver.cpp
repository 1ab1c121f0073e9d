#include "acme/resolver.h"

#include "acme/dns/propagation.h"
#include "acme/encoding.h"
#include "acme/plan.h"
#include "acme/solver_http01.h"
#include "acme/solver_tls_alpn01.h"
#include "engine/base/strings.h"
#include "engine/schema/scalar.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

namespace fairlead::acme {
namespace {

constexpr auto kAskAgainForRenewalInfo = std::chrono::hours(24);
constexpr auto kOrderWindow = std::chrono::hours(3);

// What authorities allow within the window and do not tell before it is too late; somewhat less than it is,
// for orders that were made elsewhere. Let's Encrypt: 300 orders of an account. 0: no limit is known.
std::size_t orders_allowed(const std::string& directory_url) {
  return directory_url.find(".letsencrypt.org/") != std::string::npos ? 280 : 0;
}

bool is_http_url(const std::string& text) {
  return istarts_with(text, "https://") || istarts_with(text, "http://");
}

std::string host_of(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == std::string::npos) return {};
  return url.substr(begin + 3, url.find('/', begin + 3) - begin - 3);
}

std::shared_ptr<std::mutex> registration_lock(const std::string& storage, const std::string& directory) {
  static std::mutex guard;
  static std::map<std::pair<std::string, std::string>, std::weak_ptr<std::mutex>> all;
  const std::lock_guard lock(guard);
  std::weak_ptr<std::mutex>& slot = all[{storage, directory}];
  std::shared_ptr<std::mutex> out = slot.lock();
  if (!out) slot = out = std::make_shared<std::mutex>();
  return out;
}

HttpOptions http_options(const model::Acme& options, const Environment& environment) {
  HttpOptions out;
  out.outside = true;
  out.timeout = options.client_timeout;
  out.head_timeout = options.client_response_header_timeout;
  out.system_authorities =
      options.ca_system_cert_pool ||
      schema::parse_bool(environment("LEGO_CA_SYSTEM_CERT_POOL").value_or("")).value_or(false);
  out.server_name = options.ca_server_name.empty() ? environment("LEGO_CA_SERVER_NAME").value_or("")
                                                   : options.ca_server_name;
  return out;
}

// What decides whether a name can be proven.
std::string setup_text(const model::Acme& options, const std::string& directory) {
  std::string out = fmt::format("{}\n{}\n{}\n{} {}\n", directory, options.profile, options.key_type,
                                options.disable_common_name, join(options.email_addresses, ","));
  if (options.eab) out += fmt::format("eab {} {}\n", options.eab->kid, options.eab->hmac_encoded);
  if (options.http_challenge) out += fmt::format("http {}\n", options.http_challenge->entry_point);
  if (options.tls_challenge) out += "tls\n";
  if (const auto& dns = options.dns_challenge) {
    const dns::Propagation how(*dns);
    out += fmt::format("dns {} {} {} {} {} {}\n", dns->provider, join(how.resolvers, ","), how.checks,
                       how.authoritative, how.recursive, how.delay.count());
  }
  return out;
}

// Null without a dnsChallenge.
Configured<std::unique_ptr<Solver>> dns01_solver(const model::Acme& options, const Environment& environment,
                                                 const MakeDns01& make) {
  if (!options.dns_challenge) return nullptr;
  if (!make) return misconfigured("dnsChallenge", "DNS-01 is not available");
  return make(*options.dns_challenge, environment);
}

// Why nothing can be ordered, whatever the storage holds.
std::string problem_of(const model::Acme& options, const std::string& http01_obstacle,
                       const Configured<std::string>& authorities,
                       const Configured<std::unique_ptr<Solver>>& dns01) {
  if (options.certificates_duration < 1) return "certificatesDuration is below 1 hour";
  if (options.client_timeout < options.client_response_header_timeout)
    return "clientTimeout is shorter than clientResponseHeaderTimeout (30s unless set)";
  if (options.storage.empty()) return "storage is not set";
  if (const std::string url = directory_url(options.ca_server); !is_http_url(url))
    return fmt::format("caServer is {}, and no http or https URL", fairlead::quoted(url));
  if (!dns01)
    return fmt::format("{}{}{}", dns01.error().path, dns01.error().path.empty() ? "" : ": ",
                       dns01.error().what);
  if (!authorities) return fmt::format("{}: {}", authorities.error().path, authorities.error().what);
  if (!options.http_challenge && !options.tls_challenge && !options.dns_challenge)
    return "no challenge is set: httpChallenge.entryPoint, tlsChallenge or dnsChallenge.provider";
  if (!options.tls_challenge && !options.dns_challenge) return http01_obstacle;
  return {};
}

}  // namespace

std::string directory_url(const std::string& ca_server) {
  constexpr std::string_view kOld = "https://acme-v01.api.letsencrypt.org";
  constexpr std::string_view kOldStaging = "https://acme-staging.api.letsencrypt.org";
  // Empty: a variable of Compose that nobody set.
  if (ca_server.empty() || ca_server.starts_with(kOld))
    return "https://acme-v02.api.letsencrypt.org/directory";
  if (ca_server.starts_with(kOldStaging)) return "https://acme-staging-v02.api.letsencrypt.org/directory";
  return ca_server;
}

Resolver::Resolver(std::string name, const model::Acme& options, std::shared_ptr<Store> store,
                   const Surroundings& surroundings)
    : name_(std::move(name)),
      options_(options),
      http01_obstacle_(surroundings.http01_obstacle),
      store_(std::move(store)),
      authority_files_(options_, surroundings.environment),
      http_(http_options(options_, surroundings.environment)) {
  auto trusted = authority_files_.read();
  if (trusted) http_.authorities = *trusted;
  client_ = std::make_unique<Client>(directory_url(options_.ca_server), http_);
  account_mutex_ = registration_lock(store_->path(), client_->directory_url());
  if (options_.http_challenge && http01_obstacle_.empty())
    solvers_.push_back(std::make_shared<Http01Solver>(surroundings.challenges, options_.http_challenge->delay,
                                                      *store_, name_));
  if (options_.tls_challenge)
    solvers_.push_back(
        std::make_shared<TlsAlpn01Solver>(surroundings.challenges, options_.tls_challenge->delay));
  // Shared: a provider may keep it.
  const auto read = std::make_shared<std::string>();
  const Environment environment = [read, from = surroundings.environment](const std::string& variable) {
    auto value = from(variable);
    if (value) *read += fmt::format("{}={}\n", variable, *value);
    return value;
  };
  auto dns = dns01_solver(options_, environment, surroundings.make_dns01);
  problem_ = problem_of(options_, http01_obstacle_, trusted, dns);
  if (dns && *dns) solvers_.push_back(std::move(*dns));
  setup_ = base64url(sha256(setup_text(options_, client_->directory_url()) + *read)).substr(0, 22);
}

std::string resolver_problem(const model::Acme& options, const model::Static& install,
                             const Environment& environment, const MakeDns01& make_dns01) {
  const std::string problem =
      problem_of(options, acme::http01_obstacle(options, install),
                 AuthorityFiles(options, environment).read(), dns01_solver(options, environment, make_dns01));
  return problem.empty() ? storage_problem(options.storage) : problem;
}

std::string Resolver::problem() const {
  if (!problem_.empty()) return problem_;
  if (const std::string refused = store_->refusal(); !refused.empty())
    return fmt::format("the storage {} {}", store_->path(), refused);
  return {};
}

bool Resolver::is_ours(const Account& account) const {
  if (!account.directory.empty()) return account.directory == client_->directory_url();
  // Traefik keeps no directory: the host of the account's URL tells.
  return account.url.empty() || host_of(account.url) == host_of(client_->directory_url());
}

std::optional<Account> Resolver::known_account() const {
  return store_->read([this](const State& state) -> std::optional<Account> {
    const auto own = state.find(name_);
    if (own != state.end() && own->second.account && is_ours(*own->second.account))
      return own->second.account;
    // An external account is bound to what its owner was given: never shared.
    if (options_.eab) return std::nullopt;
    for (const auto& [name, other] : state)
      if (other.account && !other.account->url.empty() && other.account->email == options_.email &&
          is_ours(*other.account))
        return other.account;
    return std::nullopt;
  });
}

Answered<Signer> Resolver::signer(std::stop_token stop) {
  const std::lock_guard lock(*account_mutex_);
  if (signer_) return *signer_;
  // Orders that waited here while the authority did not answer the first of them do not all try in turn.
  if (closed_until() > std::chrono::system_clock::now())
    return trouble_of({503, Fault::Proxy, false, closed_because().because});
  auto made = make_signer(std::move(stop));
  if (!made && made.error().kind != Trouble::Kind::Stopped && !made.error().is("accountDoesNotExist"))
    authority_failed(made.error());
  return made;
}

Answered<Signer> Resolver::make_signer(std::stop_token stop) {
  std::optional<Account> account = known_account();
  SharedKey key;
  if (account) {
    auto read = Key::from_der(account->key_der);
    if (read) {
      key = *read;
    } else {
      spdlog::warn("resolver {}: the stored account cannot be used ({}); a new one is registered", name_,
                   read.error().what);
      account.reset();
    }
  }
  if (!account) {
    key = new_account_key();
    if (!key) return trouble_of({500, Fault::Proxy, false, "no account key could be made"});
    account.emplace();
    account->email = options_.email;
    account->key_der = key->der();
    account->directory = client_->directory_url();
  }
  const Account before = *account;
  const auto save = [this](const Account& now) {
    store_->update([name = name_, now](State& state) { state[name].account = now; });
  };
  // The key first: an authority that registered it and was not heard must not be asked for a second account.
  if (account->url.empty()) save(*account);
  auto made = prepare_account(*client_, *account, key,
                              {.email = options_.email,
                               .eab_kid = options_.eab ? options_.eab->kid : std::string(),
                               .eab_hmac_encoded = options_.eab ? options_.eab->hmac_encoded : std::string()},
                              std::move(stop));
  if (!made) {
    if (!made.error().is("accountDoesNotExist") || account->url.empty()) return made;
    spdlog::warn("resolver {}: the authority does not know the account {}; it is registered anew", name_,
                 account->url);
    account->url.clear();
    save(*account);
    return made;
  }
  const auto stored = store_->read([this](const State& state) -> std::optional<Account> {
    const auto own = state.find(name_);
    return own == state.end() ? std::nullopt : own->second.account;
  });
  if (!stored || !(*stored == *account)) save(*account);
  if (before.url.empty()) spdlog::info("resolver {}: registered with {}", name_, client_->directory_url());
  signer_ = *made;
  return made;
}

void Resolver::forget_account(const std::string& url) {
  const std::lock_guard lock(*account_mutex_);
  if (signer_ && signer_->account != url) return;  // another order noticed first
  if (signer_)
    spdlog::warn("resolver {}: the authority does not know the account {}; it is registered anew", name_,
                 url);
  signer_.reset();
  store_->update([url](State& state) {
    for (auto& [name, resolver] : state)
      if (resolver.account && resolver.account->url == url) resolver.account->url.clear();
  });
}

void Resolver::authority_failed(const Trouble& trouble) {
  const WallTime now = std::chrono::system_clock::now();
  const TimePoint steady = std::chrono::steady_clock::now();
  const Closed closed{trouble.text(), trouble.problem.type};
  WallTime until;
  {
    const std::lock_guard lock(mutex_);
    // Orders that ran side by side fail together: that is one failure.
    if (steady < closed_until_ && !trouble.problem.retry_after) return;
    if (steady >= closed_until_) ++failures_;
    // Its wish is the least: what asks for a second's patience each time must not be asked each second.
    Duration wait = authority_back_off(failures_, chance());
    if (trouble.problem.retry_after) wait = std::max(wait, *trouble.problem.retry_after);
    closed_until_ = std::max<TimePoint>(closed_until_, steady + wait);
    closed_because_ = closed;
    until = now + (closed_until_ - steady);
  }
  const std::string_view means = meaning_for_account(closed.type);
  spdlog::warn("resolver {}: {}{}{}; {} is asked again at {}", name_, closed.because,
               means.empty() ? "" : "; ", means, client_->directory_url(), time_text(until));
  if (!trouble.is("rateLimited") && !trouble.problem.retry_after) return;
  // What the authority asked for outlives a restart.
  store_->update([name = name_, until, closed, authority = client_->directory_url()](State& state) {
    LimitState& limits = state[name].limits;
    if (!is_ahead(limits.until, until)) limits.until = until;
    limits.type = closed.type;
    limits.detail = closed.because;
    state[name].authority = authority;
  });
}

void Resolver::authority_answered() {
  const std::lock_guard lock(mutex_);
  failures_ = 0;
  closed_until_ = {};
  closed_because_ = {};
}

WallTime Resolver::closed_until() const {
  const WallTime now = std::chrono::system_clock::now();
  WallTime out{};
  {
    const std::lock_guard lock(mutex_);
    const TimePoint steady = std::chrono::steady_clock::now();
    if (closed_until_ > steady) out = now + (closed_until_ - steady);
  }
  return std::max(out, store_->read([&](const State& state) {
    const auto own = state.find(name_);
    return own == state.end() || !is_ahead(own->second.limits.until, now) ? WallTime{}
                                                                          : own->second.limits.until;
  }));
}

// When the oldest order that counts does so no more; the past: there is room.
WallTime Resolver::allowance_returns() const {
  const std::size_t allowed = orders_allowed(client_->directory_url());
  if (allowed == 0) return {};
  const WallTime begin = std::chrono::system_clock::now() - kOrderWindow;
  return store_->read([&](const State& state) {
    const auto own = state.find(name_);
    if (own == state.end()) return WallTime{};
    std::vector<WallTime> orders = own->second.limits.orders;
    std::erase_if(orders, [&](WallTime when) { return !is_ahead(when, begin, kOrderWindow); });
    return orders.size() < allowed ? WallTime{} : orders[orders.size() - allowed] + kOrderWindow;
  });
}

WallTime Resolver::orders_from() const { return std::max(closed_until(), allowance_returns()); }

bool Resolver::claim_order() {
  if (orders_allowed(client_->directory_url()) == 0) return true;
  const std::lock_guard lock(claim_mutex_);
  const WallTime now = std::chrono::system_clock::now();
  if (allowance_returns() > now) return false;
  store_->update([name = name_, now, authority = client_->directory_url()](State& state) {
    std::vector<WallTime>& orders = state[name].limits.orders;
    std::erase_if(orders, [&](WallTime when) { return !is_ahead(when, now - kOrderWindow, kOrderWindow); });
    orders.push_back(now);
    state[name].authority = authority;
  });
  return true;
}

Resolver::Closed Resolver::closed_because() const {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_because_.because.empty()) return closed_because_;
  }
  Closed told = store_->read([this](const State& state) {
    const auto own = state.find(name_);
    return own == state.end() || !is_ahead(own->second.limits.until, std::chrono::system_clock::now())
               ? Closed{}
               : Closed{own->second.limits.detail, own->second.limits.type};
  });
  if (!told.because.empty() || allowance_returns() == WallTime{}) return told;
  return {fmt::format("{} orders were made within {} hours, and the authority allows few more",
                      orders_allowed(client_->directory_url()), kOrderWindow.count()),
          {}};
}

void Resolver::forget_other_setup() {
  if (!store_->refusal().empty()) return;
  // Of an older file nothing is known. Values: a change may be made again when this is gone.
  const auto other_setup = [setup = setup_](const ResolverState& own) {
    return !own.names.empty() && !own.setup.empty() && own.setup != setup;
  };
  const auto other_authority = [authority = client_->directory_url()](const ResolverState& own) {
    return own.limits != LimitState{} && !own.authority.empty() && own.authority != authority;
  };
  bool any = false;
  bool has_others = false;  // certificates of another authority, by the account that stands beside them
  store_->read([&](const State& state) {
    const auto own = state.find(name_);
    if (own == state.end()) return;
    any = other_setup(own->second) || other_authority(own->second);
    has_others = !own->second.certificates.empty() && own->second.account && !is_ours(*own->second.account);
  });
  if (has_others)
    spdlog::info(
        "resolver {}: the authority is {} now; certificates of the one before serve until they are "
        "renewed, by `fairlead certs renew NAME` at once",
        name_, client_->directory_url());
  if (!any) return;
  spdlog::info("resolver {}: it is set up differently than before; names that failed are tried again now",
               name_);
  store_->update([name = name_, other_setup, other_authority](State& state) {
    ResolverState& own = state[name];
    if (other_setup(own)) own.names.clear();
    if (other_authority(own)) own.limits = {};
  });
}

bool Resolver::may_offer_renewal_info() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::steady_clock::now() >= no_renewal_info_until_;
}

void Resolver::offers_no_renewal_info() {
  const std::lock_guard lock(mutex_);
  no_renewal_info_until_ = std::chrono::steady_clock::now() + kAskAgainForRenewalInfo;
}

}  // namespace fairlead::acme
