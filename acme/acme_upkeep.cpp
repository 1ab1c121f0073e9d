#include "acme/acme.h"

#include <spdlog/spdlog.h>

#include <algorithm>

// What the planner does beside ordering.
namespace fairlead::acme {
namespace {

// How long what is known of a name is kept after nobody wants it any more.
constexpr auto kRememberNames = std::chrono::hours(48);
constexpr auto kExportAgain = std::chrono::minutes(1);  // what could not be written
// Longer than any order takes: the instance that left a token was ended in the middle of one.
constexpr auto kTokensFor = std::chrono::hours(24);

bool outlived(const TokenState& token, WallTime now) { return token.since + kTokensFor < now; }

}  // namespace

// When there is something new, the folder is another one, or something could not be written before.
void Acme::export_issued(const model::Certificates& options, bool changed, WallTime now) {
  const std::string& folder = options.export_directory;
  changed |= std::exchange(exported_to_, folder) != folder || exporter_.failed();
  if (!changed || folder.empty()) return;
  std::vector<StoredCertificate> stored;
  std::set<std::string_view> mains;  // the newest of each
  for (const auto& known : known_)
    if (mains.insert(known->stored.main).second) stored.push_back(known->stored);
  exporter_.export_all(folder, options.export_hook, stored);
  if (exporter_.failed()) next_plan_ = std::min(next_plan_, now + kExportAgain);
}

void Acme::ask_for_renewal_info(const std::set<std::string>& used, WallTime now) {
  for (const auto& known : known_) {
    const std::string& fingerprint = known->chain.fingerprint;
    if (!used.contains(fingerprint) || known->chain.renewal_id.empty() || known->chain.not_after <= now)
      continue;
    std::shared_ptr<Resolver> resolver;
    {
      const std::lock_guard lock(mutex_);
      const auto found = resolvers_.find(known->resolver);
      if (found == resolvers_.end() || asked_.contains(fingerprint)) continue;
      resolver = found->second;
    }
    if (!resolver->problem().empty() || !resolver->may_offer_renewal_info() || resolver->closed_until() > now)
      continue;
    const WallTime next = resolver->store().read([&](const State& state) {
      const auto own = state.find(known->resolver);
      if (own == state.end()) return WallTime{};
      const auto state_of = own->second.renewals.find(fingerprint);
      return state_of == own->second.renewals.end() ? WallTime{} : state_of->second.next_poll;
    });
    if (is_ahead(next, now, RenewalState::kMostPoll)) {
      next_plan_ = std::min(next_plan_, next);
      continue;
    }
    Job job;
    job.kind = Job::Kind::RenewalInfo;
    job.resolver = std::move(resolver);
    job.fingerprint = fingerprint;
    job.renewal_id = known->chain.renewal_id;
    start(std::move(job));
  }
}

// Expired certificates that nobody uses, and what is known about certificates and names that are gone.
void Acme::forget_outdated(const std::set<std::string>& used, WallTime now) {
  std::map<std::string, std::shared_ptr<Resolver>> resolvers;
  std::set<std::pair<std::string, std::string>> wanted;
  {
    const std::lock_guard lock(mutex_);
    resolvers = resolvers_;
    for (const Wanted& one : wanted_)
      for (const std::string& name : one.names) wanted.emplace(one.resolver, name);
  }
  for (const auto& [name, resolver] : resolvers) {
    std::set<tls::CertificateTextPtr> expired;
    std::set<std::string> there;
    for (const auto& known : known_) {
      if (known->resolver != name) continue;
      there.insert(known->chain.fingerprint);
      if (used.contains(known->chain.fingerprint)) continue;
      if (known->chain.not_after > now) {
        next_plan_ = std::min(next_plan_, known->chain.not_after);
        continue;
      }
      // One that a router would use if it were valid stays until the next one is there.
      const bool needed = std::ranges::any_of(known->chain.names, [&, &name = name](const std::string& one) {
        return wanted.contains({name, one});
      });
      if (!needed) expired.insert(known->stored.text);
    }
    const auto outdated = [&, &name = name](const ResolverState& state, bool& any) {
      std::set<std::string> names;
      for (const auto& [one, known] : state.names)
        if (!wanted.contains({name, one}) && known.next_try + kRememberNames < now) names.insert(one);
      any |= !names.empty() || !expired.empty();
      for (const auto& [fingerprint, renewal] : state.renewals) any |= !there.contains(fingerprint);
      for (const auto& [token, one] : state.tokens) any |= outlived(one, now);
      return names;
    };
    bool any = false;
    const std::set<std::string> names = resolver->store().read([&, &name = name](const State& state) {
      const auto own = state.find(name);
      return own == state.end() ? std::set<std::string>{} : outdated(own->second, any);
    });
    if (!any) continue;
    resolver->store().update([name, names, expired, there, now](State& state) {
      ResolverState& own = state[name];
      std::erase_if(own.certificates,
                    [&](const StoredCertificate& one) { return expired.contains(one.text); });
      std::erase_if(own.renewals, [&](const auto& entry) { return !there.contains(entry.first); });
      for (const std::string& one : names) own.names.erase(one);
      std::erase_if(own.tokens, [now](const auto& entry) { return outlived(entry.second, now); });
    });
    if (!expired.empty())
      spdlog::info("resolver {}: {} expired certificates that nobody uses are removed", name, expired.size());
  }
}

}  // namespace fairlead::acme
