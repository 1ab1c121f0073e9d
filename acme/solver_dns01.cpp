#include "acme/solver_dns01.h"

#include "acme/dns/propagation.h"
#include "acme/dns/providers.h"
#include "acme/dns/resolver.h"
#include "acme/encoding.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>
#include <mutex>
#include <thread>

namespace fairlead::acme {
namespace {

constexpr auto kCleanUpLimit = std::chrono::seconds(60);  // also when Fairlead is stopping

// A stop that is asked for after a time, unless this is gone by then.
class Limit {
 public:
  explicit Limit(Duration time)
      : timer_([this, time](std::stop_token gone) {
          if (sleep_for(time, gone)) source_.request_stop();
        }) {}
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread timer_;
};

class Dns01Solver final : public Solver {
 public:
  Dns01Solver(std::string code, dns::MadeProvider made, dns::Propagation propagation, bool follows_aliases)
      : code_(std::move(code)),
        provider_(std::move(made.provider)),
        timing_(made.timing),
        propagation_(std::move(propagation)),
        follows_aliases_(follows_aliases) {}

  ChallengeType type() const override { return ChallengeType::Dns01; }

  Result<> present(const Authorization& authorization, const std::string& key_authorization,
                   std::stop_token stop) override {
    if (authorization.is_address)
      return fail(400, Fault::Proxy,
                  fmt::format("{} is an address: DNS-01 proves names only", authorization.name));
    auto record = make_record(authorization, key_authorization, stop);
    if (!record) return named(record.error());
    {
      const std::lock_guard lock(mutex_);
      places_[{record->domain, record->value}] = record->name;
    }
    if (auto done = provider_->present(*record, stop); !done) return named(done.error());
    return {};
  }

  Result<> wait_until_visible(const Authorization& authorization, const std::string& key_authorization,
                              std::stop_token stop) override {
    const dns::Record record = known_record(authorization, key_authorization);
    if (auto seen = dns::wait_until_shown(propagation_, timing_, record.name, record.value, stop); !seen)
      return named(seen.error());
    return {};
  }

  // Where the record was put, not where the aliases lead by now.
  Result<> clean_up(const Authorization& authorization, const std::string& key_authorization) override {
    const dns::Record record = known_record(authorization, key_authorization);
    {
      const std::lock_guard lock(mutex_);
      if (places_.erase({record.domain, record.value}) == 0) return {};  // nothing was begun
    }
    const Limit limit(kCleanUpLimit);
    if (auto done = provider_->clean_up(record, limit.token()); !done) return named(done.error());
    return {};
  }

 private:
  static std::string value_of(const std::string& key_authorization) {
    return base64url(sha256(key_authorization));
  }

  Result<dns::Record> make_record(const Authorization& authorization, const std::string& key_authorization,
                                  const std::stop_token& stop) const {
    dns::Record record{.domain = dns::canonical(authorization.name),
                       .name = "_acme-challenge." + dns::canonical(authorization.name),
                       .value = value_of(key_authorization),
                       .token = authorization.token,
                       .key_authorization = key_authorization};
    if (!follows_aliases_) return record;
    auto end = dns::Resolver(propagation_.resolvers, stop).follow_aliases(record.name);
    if (stop.stop_requested()) return fail(503, Fault::Proxy, "stopped");
    // Hooks need no look-ups of ours.
    if (!end)
      spdlog::warn("DNS-01: whether {} is a CNAME record cannot be told, it counts as none: {}", record.name,
                   end.error().detail);
    else
      record.name = std::move(*end);
    return record;
  }

  dns::Record known_record(const Authorization& authorization, const std::string& key_authorization) const {
    dns::Record record{.domain = dns::canonical(authorization.name),
                       .name = "_acme-challenge." + dns::canonical(authorization.name),
                       .value = value_of(key_authorization),
                       .token = authorization.token,
                       .key_authorization = key_authorization};
    const std::lock_guard lock(mutex_);
    if (const auto place = places_.find({record.domain, record.value}); place != places_.end())
      record.name = place->second;
    return record;
  }

  std::unexpected<Error> named(Error error) const {
    error.detail = fmt::format("DNS provider {}: {}", code_, error.detail);
    return std::unexpected(std::move(error));
  }

  const std::string code_;
  const std::unique_ptr<dns::Provider> provider_;
  const dns::Timing timing_;
  const dns::Propagation propagation_;
  const bool follows_aliases_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::string> places_;  // of records, by domain and value
};

}  // namespace

Configured<std::unique_ptr<Solver>> make_dns01_solver(const model::DnsChallenge& options,
                                                      Environment environment) {
  const std::string disabled = lower(environment("LEGO_DISABLE_CNAME_SUPPORT").value_or(""));
  const bool follows_aliases = disabled != "true" && disabled != "1" && disabled != "t";
  dns::Propagation propagation(options);
  dns::ZoneFinder find = [resolvers = options.resolvers](const std::string& name, std::stop_token stop) {
    return dns::Resolver(resolvers, stop).find_zone(name);
  };
  auto made = dns::make_provider(options.provider, environment, std::move(find), follows_aliases);
  if (!made) return std::unexpected(made.error());
  return std::make_unique<Dns01Solver>(options.provider, std::move(*made), std::move(propagation),
                                       follows_aliases);
}

}  // namespace fairlead::acme
