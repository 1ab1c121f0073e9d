#include "acme/acme.h"
#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

// What is shown.
namespace fairlead::acme {
namespace {

std::string sentence(const std::string& detail, const std::string& type) {
  return type.empty() ? detail : detail.empty() ? type : fmt::format("{}: {}", type, detail);
}

// What stands against a name at its resolver.
struct Obstacle {
  std::string error;
  std::string meaning;
  WallTime until{};  // when it is tried again; the latest time there is: only when somebody mends it
};

// What is under a name: itself, or the wildcard of its first label.
template <class T>
class ByName {
 public:
  // Of two for one name the first counts.
  void add(const std::vector<std::string>& names, T value) {
    for (const std::string& name : names) all_.emplace(name, value);
  }
  T find(const std::string& name) const {
    if (const auto found = all_.find(name); found != all_.end()) return found->second;
    const auto dot = name.find('.');
    if (dot == std::string::npos || name.starts_with("*.")) return {};
    const auto found = all_.find("*" + name.substr(dot));
    return found == all_.end() ? T{} : found->second;
  }

 private:
  std::unordered_map<std::string, T> all_;
};

std::string when(WallTime time) { return time == WallTime::max() ? "when that is mended" : time_text(time); }

}  // namespace

void Acme::make_report(const Plan& plan, WallTime now) {
  auto report = std::make_shared<Report>();
  std::map<std::string, std::shared_ptr<Resolver>> resolvers;
  std::vector<Wanted> wanted;
  std::vector<Unusable> unusable;
  std::set<std::string> busy;
  std::set<std::string> held;
  std::map<std::string, std::string> steps;
  std::shared_ptr<const model::Static> install;
  {
    const std::lock_guard lock(mutex_);
    resolvers = resolvers_;
    wanted = wanted_;
    unusable = unusable_;
    busy = busy_;
    steps = steps_;
    install = install_;
    for (const auto& [name, until] : held_by_other_) held.insert(name);
  }
  std::map<std::string, std::map<std::string, NameState>> states;
  std::map<std::string, Obstacle> closed;
  for (const auto& [name, resolver] : resolvers) {
    resolver->store().read([&, &name = name](const State& state) {
      if (const auto own = state.find(name); own != state.end()) states[name] = own->second.names;
    });
    if (const std::string problem = resolver->problem(); !problem.empty())
      closed[name] = {fmt::format("resolver {}: {}", name, problem), {}, WallTime::max()};
    else if (const WallTime until = resolver->closed_until(); until > now)
      closed[name] = {fmt::format("resolver {}: {}", name, resolver->closed_because()), {}, until};
  }
  for (const auto& [name, options] : install->certificates_resolvers)
    if (!options.acme)
      closed[name] = {options.tailscale.is_null()
                          ? fmt::format("resolver {}: has no `acme`; it can obtain nothing", name)
                          : fmt::format("resolver {}: Tailscale is not supported; use `acme`", name),
                      {},
                      WallTime::max()};
  const auto obstacle = [&](const std::string& resolver, const std::string& name) -> std::optional<Obstacle> {
    if (const auto of = states.find(resolver); of != states.end())
      if (const auto known = of->second.find(name); known != of->second.end() && known->second.failures > 0)
        return Obstacle{sentence(known->second.detail, known->second.type),
                        std::string(meaning(known->second.type)), known->second.next_try};
    if (const auto found = closed.find(resolver); found != closed.end()) return found->second;
    return std::nullopt;
  };

  // Which certificate serves a name: as handshakes choose.
  ByName<const Known*> serving;
  for (const auto& known : known_)
    if (known->chain.not_after > now) serving.add(known->chain.names, known.get());
  std::map<std::string, std::vector<std::string>> users;  // by fingerprint
  const std::vector<tls::CertificatePtr> configured = parts_.certificates.configured();
  ByName<const tls::Certificate*> files;
  for (const tls::CertificatePtr& certificate : configured)
    if (certificate->not_after() > now) files.add(certificate->names(), certificate.get());
  std::vector<CertificateStatus> missing;
  for (const Wanted& one : wanted) {
    std::vector<std::string> uncovered;
    for (const std::string& name : one.names) {
      if (files.find(name)) continue;
      if (const Known* known = serving.find(name)) {
        auto& list = users[known->chain.fingerprint];
        for (const std::string& router : one.routers)
          if (std::ranges::find(list, router) == list.end()) list.push_back(router);
      } else {
        uncovered.push_back(name);
      }
    }
    if (uncovered.empty() || !one.may_order) continue;
    CertificateStatus status;
    status.names = uncovered;
    status.resolver = one.resolver;
    status.routers = one.routers;
    std::string hint;
    const bool running =
        std::ranges::any_of(uncovered, [&](const auto& name) { return busy.contains(name); });
    for (const std::string& name : uncovered)
      if (const auto found = obstacle(one.resolver, name); found && status.error.empty()) {
        status.error = found->error;
        status.meaning = found->meaning;
        status.next =
            fmt::format("tried again {}{}", found->until == WallTime::max() ? "" : "at ", when(found->until));
      }
    for (const std::string& name : uncovered)
      if (const std::string found = preflight_.finding(name); !found.empty() && !status.error.empty())
        status.meaning += fmt::format("{}{}", status.meaning.empty() ? "" : "; ", found);
    if (running) {
      const auto step = steps.find(one.names.front());
      status.next = step == steps.end() ? "being obtained" : fmt::format("being obtained: {}", step->second);
    } else if (std::ranges::any_of(uncovered, [&](const auto& name) { return held.contains(name); })) {
      status.next = "another instance obtains it";
    } else if (status.next.empty()) {
      status.next = "about to be ordered";
    }
    const std::string text =
        status.error.empty()
            ? fmt::format("no certificate for {} yet: {}", join(uncovered, ", "), status.next)
            : fmt::format("no certificate for {}: {} ({})", join(uncovered, ", "), status.error, status.next);
    for (const std::string& router : one.routers)
      report->reasons[router].push_back({model::ReasonKind::Certificate, text, status.meaning, false});
    missing.push_back(std::move(status));
  }
  for (const Unusable& one : unusable)
    report->reasons[one.router].push_back({model::ReasonKind::Certificate, one.what, {}, false});

  for (const auto& known : known_) {
    CertificateStatus status;
    status.names = known->chain.names;
    status.resolver = known->resolver;
    status.issuer = known->chain.issuer;
    status.fingerprint = known->chain.fingerprint;
    status.not_before = known->chain.not_before;
    status.not_after = known->chain.not_after;
    if (const auto found = users.find(known->chain.fingerprint); found != users.end())
      status.routers = found->second;
    const bool running =
        std::ranges::any_of(known->chain.names, [&](const auto& name) { return busy.contains(name); });
    if (!plan.used.contains(known->chain.fingerprint))
      status.next = known->chain.not_after <= now ? "expired; replaced or removed"
                                                  : "no route uses it: not renewed, removed after expiry";
    else if (running)
      status.next = "being renewed";
    else if (known->renew_at > now)
      status.next = fmt::format("renewed at {}", time_text(known->renew_at));
    else
      status.next = "about to be renewed";
    if (plan.used.contains(known->chain.fingerprint) && known->renew_at <= now)
      for (const std::string& name : known->chain.names)
        if (const auto found = obstacle(known->resolver, name); found && status.error.empty()) {
          status.error = found->error;
          status.meaning = found->meaning;
          if (!running)
            status.next = fmt::format("renewal tried again {}{}",
                                      found->until == WallTime::max() ? "" : "at ", when(found->until));
          const std::string text =
              fmt::format("the certificate for {} (valid until {}) is not renewed: {} ({})", name,
                          time_text(known->chain.not_after), status.error, status.next);
          for (const std::string& router : status.routers)
            report->reasons[router].push_back({model::ReasonKind::Certificate, text, status.meaning, false});
        }
    report->certificates.push_back(std::move(status));
  }
  for (CertificateStatus& status : missing) report->certificates.push_back(std::move(status));
  for (const tls::CertificatePtr& certificate : configured) {
    CertificateStatus status;
    status.names = certificate->names();
    status.issuer = certificate->issuer();
    status.fingerprint = certificate->fingerprint();
    status.not_before = certificate->not_before();
    status.not_after = certificate->not_after();
    status.next = "its owner renews it";
    report->certificates.push_back(std::move(status));
  }
  // Storage that does not keep what it is given concerns everybody who uses it.
  for (const auto& [name, resolver] : resolvers) {
    const std::string problem = resolver->store().write_problem();
    if (problem.empty() || !resolver->store().refusal().empty()) continue;
    for (const Wanted& one : wanted)
      if (one.resolver == name)
        for (const std::string& router : one.routers)
          report->reasons[router].push_back(
              {model::ReasonKind::Certificate,
               fmt::format("resolver {}: {}; certificates are kept in memory only", name, problem),
               {},
               false});
  }
  const std::lock_guard lock(mutex_);
  report_ = std::move(report);
}

}  // namespace fairlead::acme
