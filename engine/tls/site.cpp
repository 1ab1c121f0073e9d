#include "engine/tls/site.h"

#include "engine/base/strings.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>

namespace fairlead::tls {
namespace {

constexpr const char* kDefault = "default";
constexpr std::size_t kMany = 5000;  // certificates

HostTable::Choice choice_of(const ServerContextPtr& context) {
  return {context, context ? context->key() : 0, {}};
}

bool serves(const model::TlsCertificate& certificate) {
  return certificate.stores.empty() ||
         std::ranges::find(certificate.stores, kDefault) != certificate.stores.end();
}

// Why clients will not accept a certificate now; empty: its time is right.
std::string out_of_time(const Certificate& certificate) {
  const auto now = std::chrono::system_clock::now();
  const auto text = [](auto time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
  };
  if (certificate.not_after() <= now)
    return fmt::format("the certificate expired at {}: clients refuse it", text(certificate.not_after()));
  if (certificate.not_before() > now)
    return fmt::format(
        "the certificate is valid from {} on, which is in the future here: is the clock right?",
        text(certificate.not_before()));
  return {};
}

}  // namespace

Site::Site(std::shared_ptr<Tables> tables, std::vector<std::string> speaks)
    : tables_(std::move(tables)), speaks_(std::move(speaks)) {}

CertificatePtr Site::certificate(const std::string& cert_file, const std::string& key_file,
                                 std::string& problem) {
  Kept& kept = kept_[fmt::format("{}\n{}", cert_file, key_file)];
  kept.used = true;
  const std::uint64_t cert_version = files_.version(cert_file);
  const std::uint64_t key_version = files_.version(key_file);
  const bool known = kept.certificate || !kept.problem.empty();
  if (known && kept.cert_version == cert_version && kept.key_version == key_version) {
    problem = kept.problem;
    return kept.certificate;
  }
  kept.cert_version = cert_version;
  kept.key_version = key_version;
  kept.problem.clear();
  const auto chain = files_.read(cert_file);
  const auto key = files_.read(key_file);
  if (!chain || !key) {
    kept.problem = (chain ? key : chain).error().what;
  } else if (auto made = Certificate::from_pem(*chain, *key)) {
    kept.certificate = std::move(*made);
  } else {
    const bool of_key = made.error().path == "keyFile";
    kept.problem = fmt::format("{} ({}): {}", made.error().path, in_words(of_key ? key_file : cert_file),
                               made.error().what);
  }
  if (!kept.problem.empty() && kept.certificate) kept.problem += "; the certificate read before stays";
  problem = kept.problem;
  return kept.certificate;
}

ServerContextPtr Site::context(const std::string& name, const model::TlsOptions& options,
                               model::Element<model::TlsOptions>* element) {
  for (const std::string& file : options.client_auth.ca_files) files_.version(file);
  std::vector<std::string> notices;
  auto made = ServerContext::make(name, options, files_, speaks_, notices);
  if (element)
    for (const std::string& notice : notices) element->warn(model::ReasonKind::BadOption, notice);
  if (!made) {
    // Client authorities that went bad: those read before still guard what they guarded.
    const auto before = options_.find(name);
    const bool stays = before != options_.end() && before->second.context && before->second.model == options;
    const std::string problem =
        fmt::format("{}{}{}{}", made.error().path, made.error().path.empty() ? "" : ": ", made.error().what,
                    stays ? "; what was read before stays" : "");
    if (!element)
      default_problem_ = problem;
    else if (stays)
      element->warn(model::ReasonKind::BadOption, problem);
    else
      element->break_off(model::ReasonKind::BadOption, problem);
    return stays ? before->second.context : nullptr;
  }
  auto& shared = contexts_[(*made)->key()];
  if (auto same = shared.lock()) return same;
  shared = *made;
  return *made;
}

void Site::build(model::Tls& config) {
  std::map<std::string, Options, std::less<>> next;
  default_problem_.clear();
  for (auto& [name, element] : config.options) {
    if (element.broken()) {
      next[name] = {.model = element.options, .context = nullptr, .problem = element.reasons.front().text};
    } else {
      auto made = context(name, element.options, &element);
      std::string problem = made ? std::string() : element.reasons.back().text;
      next[name] = {.model = element.options, .context = std::move(made), .problem = std::move(problem)};
    }
    if (name == kDefault) default_problem_ = next[name].problem;
  }
  if (!next.contains(kDefault)) {
    const model::TlsOptions plain;
    next[kDefault] = {plain, context(kDefault, plain, nullptr)};
  }
  options_ = std::move(next);
  std::erase_if(contexts_, [](const auto& entry) { return entry.second.expired(); });

  std::vector<CertificatePtr> certificates;
  for (auto& element : config.certificates) {
    if (element.broken() || !serves(element.options)) continue;
    std::string problem;
    auto made = certificate(element.options.cert_file, element.options.key_file, problem);
    if (!problem.empty() && made) element.warn(model::ReasonKind::BadOption, problem);
    if (!problem.empty() && !made) element.break_off(model::ReasonKind::BadOption, problem);
    if (!made) continue;
    if (std::string when = out_of_time(*made); !when.empty())
      element.warn(model::ReasonKind::Certificate, std::move(when));
    if (made->names().empty())
      element.warn(
          model::ReasonKind::Ineffective,
          "the certificate names neither host nor address: it could serve as defaultCertificate only");
    certificates.push_back(std::move(made));
  }
  CertificatePtr fallback;
  const auto store = config.stores.find(kDefault);
  if (store != config.stores.end() && store->second.options.default_certificate) {
    std::string problem;
    const model::KeyPair& pair = *store->second.options.default_certificate;
    fallback = certificate(pair.cert_file, pair.key_file, problem);
    if (!problem.empty()) {
      problem = fmt::format("defaultCertificate: {}", problem);
      // A generated one may still come.
      if (fallback || store->second.options.default_generated_cert)
        store->second.warn(model::ReasonKind::BadOption, problem);
      else
        store->second.break_off(model::ReasonKind::BadOption, problem);
    }
    if (fallback)
      if (const std::string when = out_of_time(*fallback); !when.empty())
        store->second.warn(model::ReasonKind::Certificate, fmt::format("defaultCertificate: {}", when));
    // It serves the names it has, like any other.
    if (fallback) certificates.push_back(fallback);
  }
  const bool many = certificates.size() >= kMany && certificates != tables_->certificates.configured();
  tables_->certificates.set_configured(std::move(certificates), std::move(fallback));
  // What a long configuration was read from has left holes everywhere: they go back to the system.
  if (many) ::malloc_trim(0);
  std::erase_if(kept_, [](const auto& entry) { return !entry.second.used; });
  for (auto& [files, kept] : kept_) kept.used = false;
}

ServerContextPtr Site::options(const std::string& name) const {
  const auto found = options_.find(name.empty() ? kDefault : name);
  return found == options_.end() ? nullptr : found->second.context;
}

std::string Site::unusable(const std::string& name) const {
  const std::string wanted = name.empty() ? kDefault : name;
  const auto found = options_.find(wanted);
  const bool known = found != options_.end() && !found->second.problem.empty();
  return fmt::format("the TLS options \"{}\" cannot be used{}{}", wanted, known ? ": " : "",
                     known ? found->second.problem : "");
}

ServerContextPtr Site::raw_options(const std::string& name) {
  const auto found = options_.find(name.empty() ? kDefault : name);
  if (found == options_.end() || !found->second.context) return nullptr;
  Options& options = found->second;
  if (options.raw) return options.raw;
  std::vector<std::string> protocols = options.model.alpn_protocols;
  std::erase(protocols, std::string(kAcmeProtocol));
  std::vector<std::string> notices;  // those of the options themselves have been told
  auto made = ServerContext::make(found->first, options.model, files_, protocols, notices);
  if (!made) return nullptr;
  auto& shared = contexts_[(*made)->key()];
  if (auto same = shared.lock()) return options.raw = std::move(same);
  shared = *made;
  return options.raw = std::move(*made);
}

// decisions: those that ask for a client certificate count; two that do and differ are refused; without any
// the default options serve, with no version below the highest minimum asked for.
HostTable::Choice Site::settle(const std::string& host, const std::vector<const Wish*>& wishes,
                               std::vector<Dispute>& disputes) {
  const ServerContextPtr otherwise = options(kDefault);
  ServerContextPtr strongest;
  ServerContextPtr first;
  bool differ = false;
  bool clash = false;
  int highest_minimum = otherwise ? otherwise->min_version() : 0;
  std::vector<std::string> routers;
  for (const Wish* wish : wishes) {
    const ServerContextPtr wanted = options(wish->options);
    // Its router answers 503 and nothing else: it has no say.
    if (!wanted) continue;
    routers.push_back(wish->router);
    differ |= first && first->key() != wanted->key();
    if (!first) first = wanted;
    highest_minimum = std::max(highest_minimum, wanted->min_version());
    const auto rule = wanted->client_rule();
    if (!strongest || rule > strongest->client_rule()) {
      strongest = wanted;
      clash = false;
    } else if (rule == strongest->client_rule() && rule != ClientRule::Ignores &&
               wanted->key() != strongest->key()) {
      clash = true;
    }
  }
  if (!first) return {otherwise, otherwise ? otherwise->key() : 0, otherwise ? "" : default_problem_};
  if (!differ) return choice_of(first);
  if (clash) {
    const std::string why =
        fmt::format("{}: two sets of TLS options ask for client certificates and differ", host);
    disputes.push_back({std::move(routers), why + "; handshakes are refused"});
    return {nullptr, 0, why};
  }
  if (strongest->client_rule() != ClientRule::Ignores) {
    disputes.push_back(
        {std::move(routers), fmt::format("{}: its routers have different TLS options; those that ask for "
                                         "a client certificate ({}) are used",
                                         host, strongest->name())});
    return choice_of(strongest);
  }
  if (!otherwise) return {nullptr, 0, default_problem_};
  disputes.push_back(
      {std::move(routers),
       fmt::format(
           "{}: its routers have different TLS options; `default` is used{}", host,
           highest_minimum > otherwise->min_version() ? " with the highest minVersion asked for" : "")});
  if (highest_minimum == otherwise->min_version()) return choice_of(otherwise);
  model::TlsOptions raised = options_.find(kDefault)->second.model;
  raised.min_version = highest_minimum == TLS1_3_VERSION   ? "VersionTLS13"
                       : highest_minimum == TLS1_2_VERSION ? "VersionTLS12"
                                                           : "VersionTLS11";
  raised.max_version = {};
  const ServerContextPtr made = context("default with a higher minVersion", raised, nullptr);
  return made ? choice_of(made) : HostTable::Choice{nullptr, 0, default_problem_};
}

std::shared_ptr<const HostTable> Site::hosts(const std::vector<Wish>& wishes,
                                             std::vector<Dispute>& disputes) {
  std::map<std::string, std::vector<const Wish*>, std::less<>> by_host;
  for (const Wish& wish : wishes)
    for (const std::string& host : wish.hosts) by_host[host].push_back(&wish);
  // A router of *.example.com serves a.example.com too: its options have a say there (CVE-2026-48491).
  for (auto& [host, mine] : by_host) {
    const auto dot = host.find('.');
    if (dot == std::string::npos || host.starts_with("*.")) continue;
    const auto wildcard = by_host.find("*" + host.substr(dot));
    if (wildcard != by_host.end()) mine.insert(mine.end(), wildcard->second.begin(), wildcard->second.end());
  }
  std::vector<std::pair<std::string, HostTable::Choice>> choices;
  for (const auto& [host, mine] : by_host) choices.emplace_back(host, settle(host, mine, disputes));
  const ServerContextPtr otherwise = options(kDefault);
  return std::make_shared<const HostTable>(
      std::move(choices),
      HostTable::Choice{otherwise, otherwise ? otherwise->key() : 0, otherwise ? "" : default_problem_});
}

}  // namespace fairlead::tls
