#include "acme/acme.h"

#include "acme/solver_http01.h"

#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace fairlead::acme {
namespace {

constexpr std::size_t kMany = 5000;                    // certificates
constexpr auto kClockMoves = std::chrono::minutes(1);  // without anything being decided anew
constexpr auto kShowSteps = std::chrono::seconds(1);   // what orders do meanwhile

// Where only the storage moved, what the old one holds goes along: else every name would be ordered anew and
// have no certificate meanwhile. What the new one holds of the resolver counts.
void take_along(Resolver& from, Resolver& to) {
  const std::string& name = to.name();
  if (from.store().path() == to.store().path() ||
      from.client().directory_url() != to.client().directory_url() || !to.store().refusal().empty())
    return;
  const auto known = from.store().read([&](const State& all) -> std::optional<ResolverState> {
    const auto own = all.find(name);
    return own == all.end() ? std::nullopt : std::optional(own->second);
  });
  const bool has_own = to.store().read([&](const State& all) { return all.contains(name); });
  if (!known || has_own) return;
  spdlog::info("resolver {}: the storage is {} now; what {} holds goes along", name, to.store().path(),
               from.store().path());
  to.store().update([name, state = *known](State& all) { all.try_emplace(name, state); });
}

}  // namespace

Acme::Acme(Parts parts) : parts_(std::move(parts)), preflight_(parts_.challenges) {}

Acme::~Acme() { stop(); }

void Acme::update(std::shared_ptr<const model::Static> install,
                  std::shared_ptr<const model::Dynamic> dynamic) {
  const bool needed = !install->certificates_resolvers.empty();
  {
    const std::lock_guard lock(mutex_);
    install_ = std::move(install);
    dynamic_ = std::move(dynamic);
    configuration_changed_ = true;
  }
  if (needed) start_planner();
  events_.notify_all();
}

void Acme::start_planner() {
  const std::lock_guard lock(planner_mutex_);
  if (stopped_ || planner_.joinable()) return;
  planner_ = std::jthread([this](std::stop_token stop) {
    enter_thread("acme-planner");
    run_planner(std::move(stop));
  });
}

void Acme::stop() {
  std::jthread planner;
  {
    const std::lock_guard lock(planner_mutex_);
    stopped_ = true;
    planner = std::move(planner_);
  }
  planner.request_stop();
  order_threads_.stop();
  if (planner.joinable()) planner.join();
  preflight_.stop();
  exporter_.stop();
}

void Acme::wake() {
  {
    const std::lock_guard lock(mutex_);
    event_ = true;
  }
  events_.notify_all();
}

std::optional<std::string> Acme::http01(std::string_view token) const {
  if (std::string own = parts_.challenges.http(token); !own.empty()) return own;
  if (!shared_.load(std::memory_order_relaxed)) return std::nullopt;
  std::vector<std::shared_ptr<Resolver>> resolvers;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, resolver] : resolvers_) resolvers.push_back(resolver);
  }
  for (const auto& resolver : resolvers) {
    auto found = resolver->store().read([&](const State& state) -> std::optional<std::string> {
      for (const auto& [name, one] : state)
        if (const auto answer = one.tokens.find(std::string(token)); answer != one.tokens.end())
          return answer->second.answer;
      return std::nullopt;
    });
    if (found) return found;
  }
  return std::nullopt;
}

std::shared_ptr<const Report> Acme::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void Acme::run_planner(std::stop_token stop) {
  while (!stop.stop_requested()) {
    bool wanted = false;
    bool configured = false;
    bool stepped = false;
    {
      std::unique_lock lock(mutex_);
      // Files may be changed by others at any time.
      events_.wait_for(lock, stop, Http01Solver::kLookForOthers,
                       [this] { return event_ || configuration_changed_; });
      wanted = std::exchange(event_, false);
      configured = std::exchange(configuration_changed_, false);
      stepped = stepped_;
    }
    if (stop.stop_requested()) return;
    configured |= authorities_changed();
    if (configured) apply_configuration();
    const bool stored = refresh_stores();
    if (wanted || configured || stored || clock_was_put_back() ||
        std::chrono::system_clock::now() >= next_plan_)
      plan();
    else if (stepped && std::chrono::steady_clock::now() >= reported_at_ + kShowSteps)
      make_report(std::chrono::system_clock::now());
  }
}

// What is to come at a time lies too far ahead then.
bool Acme::clock_was_put_back() const {
  const WallTime expected = planned_ + (std::chrono::steady_clock::now() - planned_after_);
  return std::chrono::system_clock::now() < expected - kClockMoves;
}

// Files that resolvers name (caCertificates).
bool Acme::authorities_changed() {
  decltype(resolvers_) resolvers;
  {
    const std::lock_guard lock(mutex_);
    resolvers = resolvers_;
  }
  return std::ranges::any_of(resolvers, [](const auto& entry) { return entry.second->files_changed(); });
}

// Resolvers whose options changed are made anew; orders under way end with the old ones.
void Acme::apply_configuration() {
  std::shared_ptr<const model::Static> install;
  std::shared_ptr<const model::Dynamic> dynamic;
  std::map<std::string, std::shared_ptr<Resolver>> before;
  {
    const std::lock_guard lock(mutex_);
    install = install_;
    dynamic = dynamic_;
    before = resolvers_;
  }
  WantedList list = wanted_certificates(*dynamic, *install, parts_.hosts);
  std::map<std::string, std::shared_ptr<Resolver>> resolvers;
  for (const auto& [name, options] : install->certificates_resolvers) {
    if (!options.acme) continue;
    const auto known = before.find(name);
    const std::string obstacle = http01_obstacle(*options.acme, *install);
    const auto same = known != before.end() && known->second->options() == *options.acme &&
                              known->second->http01_obstacle() == obstacle
                          ? known->second
                          : nullptr;
    if (same && !same->files_changed()) {
      resolvers[name] = same;
      continue;
    }
    auto& slot = stores_[StoreFile::real_path(options.acme->storage)];
    std::shared_ptr<Store> store = slot.lock();
    if (!store) slot = store = std::make_shared<Store>(options.acme->storage);
    resolvers[name] = std::make_shared<Resolver>(
        name, *options.acme, std::move(store),
        Surroundings{parts_.challenges, parts_.environment, parts_.make_dns01, obstacle});
    const std::string problem = resolvers[name]->problem();
    if (!problem.empty() && same && same->problem().empty()) {
      spdlog::error("certificate resolver {}: {}; what was read before stays", name, problem);
      same->accept_files();
      resolvers[name] = same;
      continue;
    }
    if (!problem.empty()) spdlog::error("certificate resolver {} cannot obtain anything: {}", name, problem);
    if (known != before.end()) take_along(*known->second, *resolvers[name]);
    resolvers[name]->forget_other_setup();
  }
  std::erase_if(stores_, [](const auto& entry) { return entry.second.expired(); });
  const std::lock_guard lock(mutex_);
  wanted_ = std::move(list.certificates);
  unusable_ = std::move(list.unusable);
  resolvers_ = std::move(resolvers);
}

bool Acme::refresh_stores() {
  bool changed = false;
  bool shared = false;
  for (const auto& [path, weak] : stores_)
    if (const auto store = weak.lock()) {
      changed |= store->refresh();
      shared |= store->is_shared();
    }
  shared_ = shared;
  return changed;
}

// What the stores hold for the resolvers that exist. Certificates are read once.
void Acme::collect_known() {
  std::vector<std::shared_ptr<const Known>> known;
  decltype(read_) read;
  std::map<std::string, std::shared_ptr<Resolver>> resolvers;
  {
    const std::lock_guard lock(mutex_);
    resolvers = resolvers_;
  }
  for (const auto& [name, resolver] : resolvers) {
    resolver->store().read([&](const State& state) {
      const auto own = state.find(name);
      if (own == state.end()) return;
      for (const StoredCertificate& stored : own->second.certificates) {
        std::shared_ptr<const Known>& one = read[stored.text];
        if (const auto before = read_.find(stored.text); before != read_.end()) {
          one = before->second;
        } else if (!one) {
          const auto chain = read_chain(stored.text->leaf());
          auto certificate = tls::Certificate::from_text(stored.text);
          if (chain && certificate)
            one = std::make_shared<const Known>(Known{stored, *chain, *certificate, name, {}});
          else
            spdlog::warn("{}: the certificate of {} cannot be used: {}", resolver->store().path(),
                         stored.main, chain ? certificate.error().what : chain.error().what);
        }
        if (!one) continue;
        WallTime renew_at = renewal_time(one->chain.not_before, one->chain.not_after, one->chain.fingerprint);
        if (const std::int64_t hours = resolver->options().certificates_duration; hours != kUsualDuration)
          renew_at = std::max(one->chain.not_before + (one->chain.not_after - one->chain.not_before) / 3,
                              std::min(renew_at, one->chain.not_after - renewal_lead(hours)));
        const auto asked = own->second.renewals.find(one->chain.fingerprint);
        if (asked != own->second.renewals.end() && asked->second.renew_at > WallTime{})
          renew_at =
              std::min(asked->second.renew_at, latest_renewal(one->chain.not_before, one->chain.not_after));
        if (one->renew_at != renew_at || one->resolver != name) {
          Known changed = *one;
          changed.renew_at = renew_at;
          changed.resolver = name;
          one = std::make_shared<const Known>(std::move(changed));
        }
        known.push_back(one);
      }
    });
  }
  // The newest first: of two certificates for one name it serves.
  std::ranges::sort(known, [](const auto& a, const auto& b) {
    return std::pair(b->chain.not_before, b->chain.fingerprint) <
           std::pair(a->chain.not_before, a->chain.fingerprint);
  });
  known_ = std::move(known);
  const bool many = read.size() >= read_.size() + kMany;
  read_ = std::move(read);
  // What a long storage was read from has left holes everywhere: they go back to the system.
  if (many) ::malloc_trim(0);
}

void Acme::plan() {
  const WallTime now = std::chrono::system_clock::now();
  const TimePoint steady = std::chrono::steady_clock::now();
  planned_ = now;
  planned_after_ = steady;
  collect_known();
  PlanInput input;
  input.now = now;
  std::map<std::string, std::shared_ptr<Resolver>> resolvers;
  WallTime held_until = WallTime::max();
  {
    const std::lock_guard lock(mutex_);
    input.wanted = wanted_;
    input.busy = busy_;
    resolvers = resolvers_;
    std::erase_if(held_by_other_, [&](const auto& entry) { return entry.second <= steady; });
    for (const auto& [name, until] : held_by_other_) {
      input.busy.insert(name);
      held_until = std::min(held_until, now + (until - steady));
    }
    std::set<std::string> there;
    for (const auto& known : known_) there.insert(known->chain.fingerprint);
    std::erase_if(forced_, [&](const std::string& fingerprint) { return !there.contains(fingerprint); });
    for (const auto& known : known_)
      input.in_hand.push_back({.names = known->chain.names,
                               .not_after = known->chain.not_after,
                               .renew_at = forced_.contains(known->chain.fingerprint) ? now : known->renew_at,
                               .fingerprint = known->chain.fingerprint,
                               .issued = true});
  }
  for (const tls::CertificatePtr& certificate : parts_.certificates.configured())
    input.in_hand.push_back({.names = certificate->names(),
                             .not_after = certificate->not_after(),
                             .renew_at = {},
                             .fingerprint = {},
                             .issued = false});
  std::map<std::string, std::map<std::string, NameState>> names;
  std::map<std::string, WallTime> closed;
  for (const auto& [name, resolver] : resolvers) {
    resolver->store().read([&, &name = name](const State& state) {
      if (const auto own = state.find(name); own != state.end()) names[name] = own->second.names;
    });
    closed[name] = resolver->problem().empty() ? resolver->orders_from() : WallTime::max();
  }
  input.state = [&names](const std::string& resolver, const std::string& name) -> const NameState* {
    const auto of = names.find(resolver);
    if (of == names.end()) return nullptr;
    const auto found = of->second.find(name);
    return found == of->second.end() ? nullptr : &found->second;
  };
  input.closed_until = [&closed](const std::string& resolver) {
    const auto found = closed.find(resolver);
    return found == closed.end() ? WallTime::max() : found->second;
  };
  Plan made = make_plan(input);
  next_plan_ = std::min(made.next, held_until);
  for (Task& task : made.tasks) {
    Job job;
    job.resolver = resolvers.at(task.resolver);
    if (!task.replaces.empty())
      for (const auto& known : known_)
        if (known->chain.fingerprint == task.replaces) job.renewal_id = known->chain.renewal_id;
    job.task = std::move(task);
    start(std::move(job));
  }
  ask_for_renewal_info(made.used, now);
  forget_outdated(made.used, now);
  used_ = std::move(made.used);
  publish(now);
  make_report(now);
}

// Puts what there is into force, when it is not.
void Acme::publish(WallTime now) {
  std::vector<tls::CertificatePtr> certificates;
  for (const auto& known : known_) certificates.push_back(known->certificate);
  tls::CertificatePtr by_default;
  std::shared_ptr<const model::Static> install;
  {
    const std::lock_guard lock(mutex_);
    install = install_;
    for (const Wanted& wanted : wanted_)
      for (const auto& known : known_)
        if (wanted.is_default && !by_default && covers(known->chain.names, wanted.names.front()))
          by_default = known->certificate;
  }
  const bool changed = certificates != published_ || by_default != published_default_;
  // What expires leaves its names to those that are valid.
  if (changed || parts_.certificates.outdated(now)) {
    published_ = certificates;
    published_default_ = by_default;
    parts_.certificates.set_issued(std::move(certificates), std::move(by_default), now);
  }
  export_issued(install->certificates, changed, now);
}

}  // namespace fairlead::acme
