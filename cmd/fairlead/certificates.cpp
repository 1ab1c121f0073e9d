#include "cmd/fairlead/certificates.h"

#include "acme/solver_dns01.h"
#include "engine/base/strings.h"
#include "engine/routing/rule_parser.h"
#include "engine/tls/files.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <map>
#include <set>
#include <utility>

namespace fairlead::cmd {
namespace {

using Json = nlohmann::ordered_json;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (!value || !*value) return std::nullopt;
  return value;
}

std::vector<std::string> hosts_of_rule(const std::string& rule, const std::string& syntax, bool tcp) {
  const auto parsed = routing::parse_rule(rule, tcp ? routing::Protocol::Tcp : routing::Protocol::Http,
                                          syntax == "v2" ? routing::Syntax::V2 : routing::Syntax::V3);
  return parsed ? parsed->hosts().named : std::vector<std::string>{};
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string answer(const acme::Acme::Said& said) {
  return dump(said ? Json{{"said", *said}} : Json{{"error", said.error()}});
}

Json json_of(const admin::CertificateView& view) {
  Json out{{"names", view.names}, {"next", view.next}};
  if (!view.resolver.empty()) out["resolver"] = view.resolver;
  if (!view.routers.empty()) out["routers"] = view.routers;
  if (const tls::CertificatePtr& certificate = view.certificate) {
    out["issuer"] = certificate->issuer();
    out["fingerprint"] = certificate->fingerprint();
    out["notBefore"] = acme::time_text(certificate->not_before());
    out["notAfter"] = acme::time_text(certificate->not_after());
  }
  if (!view.error.empty()) out["error"] = view.error;
  if (!view.meaning.empty()) out["meaning"] = view.meaning;
  return out;
}

// What is wrong with files of certificates: one that cannot be read has no name to be listed under.
Json complaints_of(const model::Dynamic& dynamic) {
  Json out = Json::array();
  const auto add = [&out](const std::string& what, const std::vector<model::Reason>& reasons) {
    for (const model::Reason& reason : reasons) out.push_back({{"file", what}, {"reason", reason.text}});
  };
  for (const auto& element : dynamic.tls.certificates)
    add(tls::in_words(element.options.cert_file), element.reasons);
  for (const auto& [name, element] : dynamic.tls.stores) add("store " + name, element.reasons);
  return out;
}

}  // namespace

Certificates::Certificates(runtime::Control& control)
    : table_(control.tls_tables()->certificates),
      acme_({.certificates = control.tls_tables()->certificates,
             .challenges = control.tls_tables()->challenges,
             .environment = variable,
             .make_dns01 = acme::make_dns01_solver,
             .hosts = hosts_of_rule}) {}

void Certificates::update(const runtime::Snapshot& snapshot) {
  acme_.update(snapshot.install, snapshot.dynamic);
  const std::lock_guard lock(mutex_);
  dynamic_ = snapshot.dynamic;
}

std::vector<admin::CertificateView> Certificates::views() const {
  std::set<tls::CertificatePtr> of_files;
  for (tls::CertificatePtr& certificate : table_.configured()) of_files.insert(std::move(certificate));
  std::map<std::string, tls::CertificatePtr, std::less<>> by_fingerprint;
  for (const tls::CertificatePtr& certificate : table_.all())
    by_fingerprint.emplace(certificate->fingerprint(), certificate);
  std::vector<admin::CertificateView> out;
  for (const acme::CertificateStatus& status : acme_.report()->certificates) {
    admin::CertificateView& view = out.emplace_back();
    if (const auto found = by_fingerprint.find(status.fingerprint); found != by_fingerprint.end()) {
      view.certificate = found->second;
      by_fingerprint.erase(found);
    } else if (!status.fingerprint.empty()) {
      out.pop_back();  // it was replaced a moment ago
      continue;
    }
    view.names = status.names;
    view.resolver = status.resolver;
    view.routers = status.routers;
    view.next = status.next;
    view.error = status.error;
    view.meaning = status.meaning;
  }
  // Where there are no resolvers nobody reports.
  for (const auto& [fingerprint, certificate] : by_fingerprint) {
    admin::CertificateView& view = out.emplace_back();
    view.certificate = certificate;
    view.names = certificate->names();
    if (of_files.contains(certificate)) view.next = acme::kOwnerRenews;
  }
  return out;
}

std::vector<model::Reason> Certificates::reasons(std::string_view router) const {
  const auto report = acme_.report();
  const auto found = report->reasons.find(router);
  return found == report->reasons.end() ? std::vector<model::Reason>{} : found->second;
}

std::string Certificates::command(std::string_view arguments) {
  const std::size_t space = arguments.find(' ');
  const std::string_view verb = arguments.substr(0, space);
  const std::string rest(space == std::string_view::npos ? std::string_view{}
                                                         : trim(arguments.substr(space)));
  if (verb == "list") {
    Json out{{"certificates", Json::array()}};
    for (const admin::CertificateView& view : views()) out["certificates"].push_back(json_of(view));
    const std::lock_guard lock(mutex_);
    if (dynamic_) out["complaints"] = complaints_of(*dynamic_);
    return dump(out);
  }
  if (verb == "renew") return answer(acme_.renew(rest));
  if (verb == "prune") {
    const std::vector<std::string> gone = acme_.prune();
    return dump({{"said", gone.empty() ? "every certificate is in use"
                                       : fmt::format("removed: {}", join(gone, "; "))}});
  }
  if (verb == "export") return answer(acme_.export_to(rest));
  if (verb == "dry-run") {
    const std::size_t gap = rest.find(' ');
    const auto number =
        acme_.dry_run(rest.substr(0, gap), gap == std::string::npos ? "" : rest.substr(gap + 1));
    return dump(number ? Json{{"dryRun", *number}} : Json{{"error", number.error()}});
  }
  if (verb == "result") {
    const auto number = parse_digits(rest);
    const auto result = acme_.dry_run_result(number ? static_cast<int>(*number) : 0);
    return result ? answer(*result) : dump({{"running", true}});
  }
  return dump({{"error", "use list, renew, prune, export or dry-run"}});
}

void say_what_keeps_resolvers_from_work(const model::Static& install) {
  for (const auto& [name, options] : install.certificates_resolvers) {
    if (!options.acme) continue;
    if (const std::string why =
            acme::resolver_problem(*options.acme, install, variable, acme::make_dns01_solver);
        !why.empty())
      spdlog::error("certificate resolver {} cannot obtain anything: {}", name, why);
  }
}

}  // namespace fairlead::cmd
