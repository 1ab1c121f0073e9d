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

  std::string again() const {
    return until == WallTime::max() ? "tried again when that is mended"
                                    : fmt::format("tried again at {}", time_text(until));
  }
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

}  // namespace

// Puts one report together, on the planner's thread.
class Acme::Reporter {
 public:
  Reporter(Acme& acme, WallTime now) : acme_(acme), now_(now) {
    const std::lock_guard lock(acme.mutex_);
    acme.stepped_ = false;
    resolvers_ = acme.resolvers_;
    wanted_ = acme.wanted_;
    unusable_ = acme.unusable_;
    busy_ = acme.busy_;
    steps_ = acme.steps_;
    install_ = acme.install_;
    for (const auto& [name, until] : acme.held_by_other_) held_.insert(name);
  }

  Report make() {
    look_at_resolvers();
    index();
    std::vector<CertificateStatus> missing;
    for (const Wanted& wanted : wanted_) look_at(wanted, missing);
    for (const Unusable& one : unusable_) tell({one.router}, one.what, {});
    for (const auto& known : acme_.known_) add(*known);
    for (CertificateStatus& status : missing) out_.certificates.push_back(std::move(status));
    for (const tls::CertificatePtr& certificate : configured_) add(*certificate);
    return std::move(out_);
  }

 private:
  void look_at_resolvers();
  void index();
  void look_at(const Wanted& wanted, std::vector<CertificateStatus>& missing);
  void add(const Known& known);
  void add(const tls::Certificate& configured);
  void tell(const std::vector<std::string>& routers, const std::string& text, const std::string& meaning) {
    for (const std::string& router : routers)
      out_.reasons[router].push_back({model::ReasonKind::Certificate, text, meaning, false});
  }
  static Obstacle closed(const std::string& resolver, const Resolver::Closed& by, WallTime until) {
    return {fmt::format("resolver {}: {}", resolver, by.because), std::string(meaning_for_account(by.type)),
            until};
  }
  // Of the first of the names that has one.
  std::optional<Obstacle> obstacle(const std::string& resolver, const std::vector<std::string>& names) const;
  bool any_of(const std::set<std::string>& set, const std::vector<std::string>& names) const {
    return std::ranges::any_of(names, [&](const std::string& name) { return set.contains(name); });
  }

  Acme& acme_;
  const WallTime now_;
  std::map<std::string, std::shared_ptr<Resolver>> resolvers_;
  std::vector<Wanted> wanted_;
  std::vector<Unusable> unusable_;
  std::set<std::string> busy_;
  std::set<std::string> held_;
  std::map<std::string, std::string> steps_;
  std::shared_ptr<const model::Static> install_;
  std::map<std::string, std::map<std::string, NameState>> states_;  // by resolver and name
  std::map<std::string, Obstacle> closed_;                          // by resolver
  std::vector<tls::CertificatePtr> configured_;
  ByName<const Known*> serving_;
  ByName<const tls::Certificate*> files_;
  std::map<std::string, std::vector<std::string>> users_;  // routers by fingerprint
  Report out_;
};

void Acme::Reporter::look_at_resolvers() {
  for (const auto& [name, resolver] : resolvers_) {
    resolver->store().read([&, &name = name](const State& state) {
      if (const auto own = state.find(name); own != state.end()) states_[name] = own->second.names;
    });
    const std::string problem = resolver->problem();
    if (!problem.empty())
      closed_[name] = {fmt::format("resolver {}: {}", name, problem), {}, WallTime::max()};
    else if (const auto by = resolver->closed_because(); !by.because.empty())
      closed_[name] = closed(name, by, resolver->orders_from());  // or was closed, and nothing came since
    // Storage that does not keep what it is given concerns everybody who uses it.
    const std::string unwritten = resolver->store().write_problem();
    if (unwritten.empty() || !resolver->store().refusal().empty()) continue;
    for (const Wanted& one : wanted_)
      if (one.resolver == name)
        tell(one.routers,
             fmt::format("resolver {}: {}; certificates are kept in memory only", name, unwritten), {});
  }
  for (const auto& [name, options] : install_->certificates_resolvers)
    if (!options.acme)
      closed_[name] = {options.tailscale.is_null()
                           ? fmt::format("resolver {}: has no `acme`; it can obtain nothing", name)
                           : fmt::format("resolver {}: Tailscale is not supported; use `acme`", name),
                       {},
                       WallTime::max()};
}

// Which certificate serves a name: as handshakes choose.
void Acme::Reporter::index() {
  for (const auto& known : acme_.known_)
    if (known->chain.not_after > now_) serving_.add(known->chain.names, known.get());
  configured_ = acme_.parts_.certificates.configured();
  for (const tls::CertificatePtr& certificate : configured_)
    if (certificate->not_after() > now_) files_.add(certificate->names(), certificate.get());
}

std::optional<Obstacle> Acme::Reporter::obstacle(const std::string& resolver,
                                                 const std::vector<std::string>& names) const {
  if (const auto of = states_.find(resolver); of != states_.end())
    for (const std::string& name : names)
      if (const auto known = of->second.find(name); known != of->second.end() && known->second.failures > 0) {
        std::string means(meaning(known->second.type));
        if (const std::string found = acme_.preflight_.finding(name); !found.empty())
          means += fmt::format("{}{}", means.empty() ? "" : "; ", found);
        return Obstacle{sentence(known->second.detail, known->second.type), std::move(means),
                        known->second.next_try};
      }
  const auto found = closed_.find(resolver);
  return found == closed_.end() ? std::nullopt : std::optional(found->second);
}

void Acme::Reporter::look_at(const Wanted& wanted, std::vector<CertificateStatus>& missing) {
  CertificateStatus status;
  for (const std::string& name : wanted.names) {
    if (files_.find(name)) continue;
    const Known* known = serving_.find(name);
    if (!known) {
      status.names.push_back(name);
      continue;
    }
    auto& list = users_[known->chain.fingerprint];
    for (const std::string& router : wanted.routers)
      if (std::ranges::find(list, router) == list.end()) list.push_back(router);
  }
  if (status.names.empty() || !wanted.may_order) return;
  status.resolver = wanted.resolver;
  status.routers = wanted.routers;
  if (const auto against = obstacle(wanted.resolver, status.names)) {
    status.error = against->error;
    status.meaning = against->meaning;
    if (against->until > now_) status.next = against->again();
  }
  if (any_of(busy_, status.names)) {
    const auto step = steps_.find(wanted.names.front());
    status.next = step == steps_.end() ? "being obtained" : fmt::format("being obtained: {}", step->second);
  } else if (any_of(held_, status.names)) {
    status.next = "another instance obtains it";
  } else if (status.next.empty()) {
    status.next = "about to be ordered";
  }
  const std::string names = join(status.names, ", ");
  tell(wanted.routers,
       status.error.empty() ? fmt::format("no certificate for {} yet: {}", names, status.next)
                            : fmt::format("no certificate for {}: {} ({})", names, status.error, status.next),
       status.meaning);
  missing.push_back(std::move(status));
}

void Acme::Reporter::add(const Known& known) {
  CertificateStatus status;
  status.names = known.chain.names;
  status.resolver = known.resolver;
  status.fingerprint = known.chain.fingerprint;
  if (const auto found = users_.find(known.chain.fingerprint); found != users_.end())
    status.routers = found->second;
  const bool used = acme_.used_.contains(known.chain.fingerprint);
  if (!used)
    status.next = known.chain.not_after <= now_ ? "expired; replaced or removed"
                                                : "no route uses it: not renewed, removed after expiry";
  else if (any_of(busy_, known.chain.names))
    status.next = "being renewed";
  else if (known.renew_at > now_)
    status.next = fmt::format("renewed at {}", time_text(known.renew_at));
  else
    status.next = "about to be renewed";
  if (used && known.renew_at <= now_)
    if (const auto against = obstacle(known.resolver, known.chain.names)) {
      status.error = against->error;
      status.meaning = against->meaning;
      if (!any_of(busy_, known.chain.names) && against->until > now_)
        status.next = "renewal " + against->again();
      tell(status.routers,
           fmt::format("the certificate for {} (valid until {}) is not renewed: {} ({})",
                       join(known.chain.names, ", "), time_text(known.chain.not_after), status.error,
                       status.next),
           status.meaning);
    }
  out_.certificates.push_back(std::move(status));
}

void Acme::Reporter::add(const tls::Certificate& configured) {
  CertificateStatus status;
  status.names = configured.names();
  status.fingerprint = configured.fingerprint();
  status.next = kOwnerRenews;
  out_.certificates.push_back(std::move(status));
}

void Acme::make_report(WallTime now) {
  reported_at_ = std::chrono::steady_clock::now();
  auto report = std::make_shared<const Report>(Reporter(*this, now).make());
  const std::lock_guard lock(mutex_);
  report_ = std::move(report);
}

}  // namespace fairlead::acme
