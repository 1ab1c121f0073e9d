#include "acme/acme.h"
#include "acme/plan.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

// The order threads.
namespace fairlead::acme {
namespace {

constexpr auto kOtherInstance =
    std::chrono::seconds(2);  // before a name that another one orders is looked at again
constexpr Duration kLeastAge = std::chrono::hours(1);     // of a certificate whose first renewal wish is past
constexpr Duration kLeastPoll = std::chrono::seconds(1);  // of renewal information
constexpr Duration kUsualPoll = std::chrono::hours(6);

std::string in_words(const std::vector<std::string>& names) { return join(names, ", "); }

// A rate limit that is about these names (too many certificates or failures for one of them), not about the
// account: authorities name what they mean.
bool is_about_names(const Problem& problem, const std::vector<std::string>& names) {
  if (problem.detail.find("exact set") != std::string::npos) return true;
  return std::ranges::any_of(names, [&](std::string_view name) {
    if (name.starts_with("*.")) name.remove_prefix(2);
    while (name.find('.') != std::string_view::npos) {
      if (problem.detail.find(fmt::format("\"{}\"", name)) != std::string::npos) return true;
      name.remove_prefix(name.find('.') + 1);
    }
    return false;
  });
}

}  // namespace

void Acme::start(Job job) {
  {
    const std::lock_guard lock(mutex_);
    busy_.insert(job.task.names.begin(), job.task.names.end());
    if (job.kind == Job::Kind::RenewalInfo) asked_.insert(job.fingerprint);
  }
  order_threads_.add([this, job = std::move(job)](const std::stop_token& stop) { carry_out(job, stop); });
}

void Acme::carry_out(const Job& job, const std::stop_token& stop) {
  switch (job.kind) {
    case Job::Kind::Order: order(job, stop); break;
    case Job::Kind::RenewalInfo: ask_renewal_info(job, stop); break;
    case Job::Kind::DryRun: try_dry_run(job, stop); break;
  }
  finished(job);
}

void Acme::finished(const Job& job) {
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : job.task.names) busy_.erase(name);
    if (!job.task.names.empty()) steps_.erase(job.task.names.front());
    if (job.kind == Job::Kind::RenewalInfo) asked_.erase(job.fingerprint);
    event_ = true;
  }
  events_.notify_all();
}

bool Acme::is_wanted(const Task& task) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(task.names, [&](const std::string& name) {
    return std::ranges::any_of(wanted_, [&](const Wanted& wanted) {
      return wanted.resolver == task.resolver && std::ranges::find(wanted.names, name) != wanted.names.end();
    });
  });
}

void Acme::order(const Job& job, const std::stop_token& stop) {
  const Task& task = job.task;
  Resolver& resolver = *job.resolver;
  // It may have waited for long: its routers may be gone, the authority may have closed.
  if (!is_wanted(task) || resolver.orders_from() > std::chrono::system_clock::now()) return;
  std::vector<std::string> locked;
  for (const std::string& name : task.names) {
    if (!resolver.store().lock_name(name)) break;
    locked.push_back(name);
  }
  bool mine = locked.size() == task.names.size();
  if (mine && resolver.store().is_shared()) {
    // Another instance may have obtained it since it was planned.
    resolver.store().refresh();
    mine = !resolver.store().read([&](const State& state) {
      const auto own = state.find(resolver.name());
      if (own == state.end()) return false;
      return std::ranges::any_of(own->second.certificates, [&](const StoredCertificate& stored) {
        // Most are of other names, and need not be read for that.
        if (!covers(stored.names(), task.names.front())) return false;
        const auto chain = read_chain(stored.text->leaf());
        return chain && chain->fingerprint != task.replaces &&
               renewal_time(chain->not_before, chain->not_after, chain->fingerprint) >
                   std::chrono::system_clock::now() &&
               std::ranges::all_of(task.names, [&](const auto& name) { return covers(chain->names, name); });
      });
    });
  }
  if (mine) {
    order_names(job, stop);
  } else {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : task.names)
      held_by_other_[name] = std::chrono::steady_clock::now() + kOtherInstance;
  }
  for (const std::string& name : locked) resolver.store().unlock_name(name);
}

// True when a certificate was obtained. Names that cannot be validated are left out, so that the others get
// theirs: each round has fewer.
bool Acme::order_names(const Job& job, const std::stop_token& stop) {
  Resolver& resolver = *job.resolver;
  const model::Acme& options = resolver.options();
  std::vector<std::string> names = job.task.names;
  bool registered_anew = false;
  spdlog::info("resolver {}: {} {}", resolver.name(), job.task.replaces.empty() ? "ordering" : "renewing",
               in_words(names));
  while (!names.empty() && !stop.stop_requested()) {
    const auto fail_all = [&](const Problem& problem) {
      std::map<std::string, Problem> failed;
      for (const std::string& name : names) failed[name] = problem;
      note_failures(resolver, job.task, failed);
    };
    auto signer = resolver.signer(stop);
    if (!signer) {
      const Trouble& trouble = signer.error();
      if (!trouble.is("accountDoesNotExist")) return false;
      if (!std::exchange(registered_anew, true)) continue;
      resolver.authority_failed(trouble);
      return false;
    }
    const std::optional<OpenOrder> open = resolver.open_orders().find(names, signer->account);
    if (!open && !resolver.claim_order()) return false;  // others were faster: it is planned again
    look_before(resolver, names);
    Order order(resolver.client(), *signer, resolver.solvers(), stop);
    order.on_step = [this, &job](std::string step) {
      const std::lock_guard lock(mutex_);
      steps_[job.task.names.front()] = std::move(step);
      stepped_ = true;
    };
    order.on_setback = [this, &job, &resolver](std::string what) {
      spdlog::warn("resolver {}: {}: {}", resolver.name(), in_words(job.task.names), what);
      {
        const std::lock_guard lock(mutex_);
        steps_[job.task.names.front()] = std::move(what);
      }
      wake();
    };
    OrderOptions wish;
    wish.names = names;
    wish.open = open;
    wish.key_type = usable_key_type(options.key_type);
    wish.profile = options.profile;
    wish.preferred_chain = options.preferred_chain;
    wish.email_addresses = options.email_addresses;
    wish.common_name = !options.disable_common_name;
    if (options.dns_challenge) wish.resolvers = options.dns_challenge->resolvers;
    wish.replaces = job.renewal_id;
    wish.certificate_timeout = options.certificate_timeout;
    auto issued = order.run(wish);
    resolver.open_orders().set(names, issued ? std::nullopt : issued.error().open);
    if (issued) {
      resolver.authority_answered();
      keep(resolver, job.task, names, *issued);
      return true;
    }
    const OrderFailure& failure = issued.error();
    if (open && !failure.open && failure.names.empty()) continue;  // the order is of no use any more
    if (!failure.names.empty()) {
      resolver.authority_answered();
      note_failures(resolver, job.task, failure.names);
      const std::size_t before = names.size();
      std::erase_if(names, [&](const std::string& name) { return failure.names.contains(name); });
      if (names.size() != before) continue;
      fail_all(failure.names.begin()->second);  // it speaks of names that nobody asked for
      return false;
    }
    const Trouble& trouble = failure.trouble;
    if (trouble.kind == Trouble::Kind::Stopped) return false;
    if (trouble.is("accountDoesNotExist") && !std::exchange(registered_anew, true)) {
      resolver.forget_account(signer->account);
      continue;
    }
    if (trouble.is_of_some_name() && names.size() > 1) return order_singly(job, names, stop);
    const bool of_names = trouble.is("rateLimited") && is_about_names(trouble.problem, names);
    if (trouble.is_of_authority() && !of_names) {
      resolver.authority_failed(trouble);
    } else {
      resolver.authority_answered();
      fail_all(trouble.problem);
    }
    return false;
  }
  return false;
}

// The authority refuses one of the names and does not say which: it must not keep the others from theirs.
bool Acme::order_singly(const Job& job, const std::vector<std::string>& names, const std::stop_token& stop) {
  bool any = false;
  for (const std::string& name : names) {
    if (stop.stop_requested() || job.resolver->orders_from() > std::chrono::system_clock::now()) break;
    Job one = job;
    one.task.names = {name};
    one.renewal_id.clear();  // one certificate cannot be replaced by several
    any |= order_names(one, stop);
    const std::lock_guard lock(mutex_);
    if (name != job.task.names.front()) steps_.erase(name);
  }
  return any;
}

// Names that were never ordered before are looked at while the first order runs.
void Acme::look_before(Resolver& resolver, const std::vector<std::string>& names) {
  const model::Acme& options = resolver.options();
  for (const std::string& name : names) {
    const bool known = resolver.store().read([&](const State& state) {
      const auto own = state.find(resolver.name());
      return own != state.end() &&
             (own->second.names.contains(name) ||
              std::ranges::any_of(own->second.certificates, [&](const StoredCertificate& one) {
                return one.main == name || std::ranges::find(one.sans, name) != one.sans.end();
              }));
    });
    if (!known)
      preflight_.ask(
          {.name = name,
           .resolvers = options.dns_challenge ? options.dns_challenge->resolvers : std::vector<std::string>{},
           .by_http = options.http_challenge.has_value()});
  }
}

void Acme::keep(Resolver& resolver, const Task& task, const std::vector<std::string>& names,
                const Issued& issued) {
  const auto chain = read_chain(issued.chain);
  if (!chain) return;  // the order has read it before
  // One that is due at once would be ordered again at once, and again.
  const WallTime now = std::chrono::system_clock::now();
  const bool usable = renewal_time(chain->not_before, chain->not_after, chain->fingerprint) > now;
  StoredCertificate made{.main = names.front(),
                         .sans = {names.begin() + 1, names.end()},
                         .text = tls::CertificateText::of(issued.chain, issued.key)};
  resolver.store().update([name = resolver.name(), made, usable, names = chain->names](State& state) {
    ResolverState& own = state[name];
    const std::vector<std::string> now = made.names();
    const auto serves_all = [&names](const std::vector<std::string>& of) {
      return std::ranges::all_of(
          of, [&](const std::string& one) { return std::ranges::find(names, one) != names.end(); });
    };
    // What the new one serves altogether needs no other. Most are of other names, and need not be read for
    // that; Traefik lists one under fewer names than it has.
    std::erase_if(own.certificates, [&](const StoredCertificate& old) {
      if (!serves_all(old.names())) return false;
      const auto known = read_chain(old.text->leaf());
      return !known || serves_all(known->names);
    });
    own.certificates.push_back(made);
    if (usable)
      for (const std::string& one : now) own.names.erase(one);
  });
  for (const std::string& name : names) preflight_.forget(name);
  spdlog::info("resolver {}: certificate for {} obtained from {}, valid until {}", resolver.name(),
               in_words(names), chain->issuer, time_text(chain->not_after));
  if (!usable) {
    Problem problem;
    problem.type = "clock";
    problem.detail = fmt::format("the certificate is valid from {} to {}, and the clock here says {}",
                                 time_text(chain->not_before), time_text(chain->not_after), time_text(now));
    std::map<std::string, Problem> failed;
    for (const std::string& name : names) failed[name] = problem;
    note_failures(resolver, task, failed);
  }
  // It serves now, not when the order's thread has cleaned up.
  wake();
}

void Acme::note_failures(Resolver& resolver, const Task& task, const std::map<std::string, Problem>& names) {
  const WallTime now = std::chrono::system_clock::now();
  const double share = chance();  // names that failed together are tried together
  std::map<std::string, NameState> noted;
  for (const auto& [name, problem] : names) {
    NameState state = resolver.store().read([&, &name = name](const State& all) {
      const auto own = all.find(resolver.name());
      if (own == all.end()) return NameState{};
      const auto known = own->second.names.find(name);
      return known == own->second.names.end() ? NameState{} : known->second;
    });
    if (state.failures++ == 0) state.since = now;
    Duration wait = name_back_off(state.failures, share);
    if (problem.retry_after) wait = std::max(wait, *problem.retry_after);
    state.next_try = now + wait;
    state.type = problem.type;
    state.detail = problem.words();
    const std::string_view means = meaning(problem.type);
    spdlog::error("certificate for {} (resolver {}, for {}): {}{}{}; tried again at {}", name,
                  resolver.name(), in_words(task.routers), problem.text(), means.empty() ? "" : "; ", means,
                  time_text(state.next_try));
    noted[name] = std::move(state);
  }
  resolver.store().update([name = resolver.name(), setup = resolver.setup(), noted](State& state) {
    ResolverState& own = state[name];
    for (const auto& [one, known] : noted) own.names[one] = known;
    own.setup = setup;
  });
  const std::lock_guard lock(mutex_);
  forced_.erase(task.replaces);
}

void Acme::ask_renewal_info(const Job& job, const std::stop_token& stop) {
  Resolver& resolver = *job.resolver;
  auto directory = resolver.client().directory(stop);
  // Of no consequence: the certificate is renewed at two thirds of its lifetime.
  if (!directory || directory->renewal_info.empty()) return resolver.offers_no_renewal_info();
  const std::string url = fmt::format("{}{}{}", directory->renewal_info,
                                      directory->renewal_info.ends_with('/') ? "" : "/", job.renewal_id);
  const WallTime now = std::chrono::system_clock::now();
  RenewalState state = resolver.store().read([&](const State& all) {
    const auto own = all.find(resolver.name());
    if (own == all.end()) return RenewalState{};
    const auto known = own->second.renewals.find(job.fingerprint);
    return known == own->second.renewals.end() ? RenewalState{} : known->second;
  });
  auto answer = resolver.client().get(url, stop);
  if (stop.stop_requested()) return;
  Duration poll = kUsualPoll;
  if (answer) {
    if (const auto asked = read_retry_after(answer->header("retry-after"), now))
      poll = std::clamp(*asked, kLeastPoll, RenewalState::kMostPoll);
    if (const auto window = read_renewal_window(answer->body)) {
      if (state.renew_at == WallTime{} || window->start != state.start || window->end != state.end) {
        // RFC 9773 §4.2: a moment of the window, all equally likely.
        const Duration length = window->end - window->start;
        const WallTime chosen = window->start + std::chrono::duration_cast<Duration>(length * chance());
        // A wish that is past when it is heard first would renew one certificate after the other.
        state.renew_at = state.renew_at == WallTime{} ? std::max(chosen, now + kLeastAge) : chosen;
        state.start = window->start;
        state.end = window->end;
      }
      if (window->explanation != state.explanation && !window->explanation.empty())
        spdlog::warn("resolver {}: the authority wants a certificate renewed: {}", resolver.name(),
                     window->explanation);
      state.explanation = window->explanation;
    }
  } else if (answer.error().problem.retry_after) {
    poll = std::clamp(*answer.error().problem.retry_after, kLeastPoll, RenewalState::kMostPoll);
  }
  state.next_poll = now + poll;
  resolver.store().update([name = resolver.name(), fingerprint = job.fingerprint, state](State& all) {
    all[name].renewals[fingerprint] = state;
  });
}

}  // namespace fairlead::acme
