#include "acme/acme.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

// What people ask for by hand.
namespace fairlead::acme {
namespace {

constexpr std::size_t kMaxDryRuns = 16;

// Where an authority lets people try.
std::string staging_of(const std::string& directory) {
  if (directory.starts_with("https://acme-v02.api.letsencrypt.org/"))
    return "https://acme-staging-v02.api.letsencrypt.org/directory";
  return {};
}

}  // namespace

Acme::Said Acme::renew(const std::string& written) {
  const std::string name = certificate_name(written);
  if (name.empty())
    return std::unexpected(fmt::format("{} can be in no certificate", fairlead::quoted(written)));
  const WallTime now = std::chrono::system_clock::now();
  std::map<std::string, std::set<std::string>> again;  // by resolver
  std::size_t certificates = 0;
  std::map<std::string, std::shared_ptr<Resolver>> resolvers;
  {
    const std::lock_guard lock(mutex_);
    resolvers = resolvers_;
    for (const Wanted& wanted : wanted_)
      if (wanted.may_order && covers(wanted.names, name))
        again[wanted.resolver].insert(wanted.names.begin(), wanted.names.end());
    if (again.empty())
      return std::unexpected(fmt::format("no router asks for a certificate for {}", fairlead::quoted(name)));
    // As the plan has it (plan.h).
    const auto configured = parts_.certificates.configured();
    const auto is_configured = [&](const std::string& one) {
      return std::ranges::any_of(configured, [&](const tls::CertificatePtr& certificate) {
        return certificate->not_after() > now && covers(certificate->names(), one);
      });
    };
    if (std::ranges::all_of(
            again, [&](const auto& entry) { return std::ranges::all_of(entry.second, is_configured); }))
      return std::unexpected(
          fmt::format("a certificate of the configuration covers {}: nothing is ordered, and its owner "
                      "renews it",
                      name));
    for (const CertificateStatus& status : report_->certificates)
      if (!status.fingerprint.empty() && !status.resolver.empty() && covers(status.names, name)) {
        forced_.insert(status.fingerprint);
        ++certificates;
      }
  }
  for (const auto& [resolver, names] : again) {
    const auto found = resolvers.find(resolver);
    if (found == resolvers.end()) continue;
    if (const std::string problem = found->second->problem(); !problem.empty())
      return std::unexpected(fmt::format("resolver {}: {}", resolver, problem));
    found->second->authority_answered();
    found->second->store().update([resolver, names](State& state) {
      ResolverState& own = state[resolver];
      for (const std::string& one : names) own.names.erase(one);
      own.limits.until = {};
    });
  }
  wake();
  return certificates > 0 ? fmt::format("{} is being renewed", name)
                          : fmt::format("{} is being ordered", name);
}

std::vector<std::string> Acme::prune() {
  std::map<std::string, std::shared_ptr<Resolver>> resolvers;
  std::map<std::string, std::set<std::string>> unused;  // fingerprints by resolver
  std::vector<std::string> out;
  {
    const std::lock_guard lock(mutex_);
    resolvers = resolvers_;
    for (const CertificateStatus& status : report_->certificates) {
      if (status.resolver.empty() || status.fingerprint.empty()) continue;
      const bool wanted = std::ranges::any_of(wanted_, [&](const Wanted& one) {
        return std::ranges::any_of(one.names, [&](const auto& name) { return covers(status.names, name); });
      });
      if (wanted) continue;
      unused[status.resolver].insert(status.fingerprint);
      out.push_back(join(status.names, ", "));
    }
  }
  for (const auto& [name, fingerprints] : unused) {
    const auto found = resolvers.find(name);
    if (found == resolvers.end()) continue;
    found->second->store().update([name, fingerprints](State& state) {
      std::erase_if(state[name].certificates, [&](const StoredCertificate& one) {
        const auto chain = read_chain(one.text->leaf());
        return chain && fingerprints.contains(chain->fingerprint);
      });
    });
  }
  for (const std::string& names : out) spdlog::info("certificate for {} removed: no route uses it", names);
  wake();
  return out;
}

Acme::Said Acme::export_to(const std::string& folder) {
  std::vector<std::shared_ptr<Resolver>> resolvers;
  std::string target = folder;
  {
    const std::lock_guard lock(mutex_);
    if (target.empty() && install_) target = install_->certificates.export_directory;
    for (const auto& [name, resolver] : resolvers_) resolvers.push_back(resolver);
  }
  if (target.empty()) return std::unexpected("name a directory, or set certificates.export");
  std::size_t count = 0;
  for (const auto& resolver : resolvers) {
    const auto stored = resolver->store().read([&](const State& state) {
      const auto own = state.find(resolver->name());
      return own == state.end() ? std::vector<StoredCertificate>{} : own->second.certificates;
    });
    for (const StoredCertificate& one : stored) {
      const auto done = export_certificate(target, one);
      if (!done) return std::unexpected(fmt::format("{} {}", done.error().path, done.error().what));
      ++count;
    }
  }
  return fmt::format("{} certificates are in {}", count, target);
}

std::expected<int, std::string> Acme::dry_run(const std::string& written, const std::string& server) {
  const std::string name = certificate_name(written);
  Job job;
  job.kind = Job::Kind::DryRun;
  {
    const std::lock_guard lock(mutex_);
    for (const Wanted& wanted : wanted_) {
      const auto resolver = resolvers_.find(wanted.resolver);
      if (std::ranges::find(wanted.names, name) == wanted.names.end() || resolver == resolvers_.end())
        continue;
      job.resolver = resolver->second;
      job.fingerprint = name;
      break;
    }
    if (!job.resolver)
      return std::unexpected(
          fmt::format("no router asks for a certificate for {}", fairlead::quoted(written)));
    if (const std::string problem = job.resolver->problem(); !problem.empty())
      return std::unexpected(fmt::format("resolver {}: {}", job.resolver->name(), problem));
    job.renewal_id = server.empty() ? staging_of(job.resolver->client().directory_url()) : server;
    if (job.renewal_id.empty())
      return std::unexpected(fmt::format("no staging directory of {} is known: name one with --server",
                                         job.resolver->client().directory_url()));
    job.number = ++last_dry_run_;
    dry_runs_[job.number] = std::nullopt;
    while (dry_runs_.size() > kMaxDryRuns) dry_runs_.erase(dry_runs_.begin());
  }
  const int number = job.number;
  start(std::move(job));
  return number;
}

std::optional<Acme::Said> Acme::dry_run_result(int number) {
  const std::lock_guard lock(mutex_);
  const auto found = dry_runs_.find(number);
  if (found == dry_runs_.end()) return std::unexpected(std::string("no such dry run"));
  return found->second;
}

// An account of its own, at another directory; nothing is kept.
void Acme::try_dry_run(const Job& job, const std::stop_token& stop) {
  const auto tell = [&](Said said) {
    const std::lock_guard lock(mutex_);
    if (const auto found = dry_runs_.find(job.number); found != dry_runs_.end())
      found->second = std::move(said);
  };
  const std::string& name = job.fingerprint;
  const std::string& directory = job.renewal_id;
  const model::Acme& options = job.resolver->options();
  Client client(directory, job.resolver->http());
  const SharedKey key = new_account_key();
  Account account;
  account.email = options.email;
  auto signer = prepare_account(client, account, key,
                                {.email = options.email, .eab_kid = {}, .eab_hmac_encoded = {}}, stop);
  if (!signer) return tell(std::unexpected(fmt::format("{}: {}", directory, signer.error().text())));
  Order order(client, *signer, job.resolver->solvers(), stop);
  OrderOptions wish;
  wish.names = {name};
  wish.key_type = usable_key_type(options.key_type);
  wish.certificate_timeout = options.certificate_timeout;
  auto issued = order.run(wish);
  if (issued)
    return tell(
        fmt::format("{} can be obtained: {} issued one in a trial, and nothing was kept", name, directory));
  const Problem& problem =
      issued.error().names.empty() ? issued.error().trouble.problem : issued.error().names.begin()->second;
  const std::string_view means = meaning(problem.type);
  tell(std::unexpected(
      fmt::format("{} cannot be obtained: {}{}{}", name, problem.text(), means.empty() ? "" : "; ", means)));
}

}  // namespace fairlead::acme
