#include "acme/wanted.h"

#include "acme/csr.h"
#include "engine/base/strings.h"
#include "engine/model/served_routers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace fairlead::acme {
namespace {

// Names of one certificate: authorities refuse more (Let's Encrypt, ZeroSSL).
constexpr std::size_t kMostNames = 100;

class Collector {
 public:
  Collector(const model::Dynamic& dynamic, const model::Static& install, const HostsOfRule& hosts)
      : dynamic_(dynamic), install_(install), hosts_(hosts) {}

  void http(const std::string& name, const model::Element<model::HttpRouter>& element);
  void tcp(const std::string& name, const model::Element<model::TcpRouter>& element);
  void store();

  WantedList take() && {
    for (auto& [key, wanted] : by_key_) out_.certificates.push_back(std::move(wanted));
    return std::move(out_);
  }

 private:
  template <class Tls>
  void tls(const Tls& options, const std::string& router, const std::string& rule, const std::string& syntax,
           bool is_tcp, bool may_order, bool is_own);
  void add(const std::string& resolver, const std::vector<std::string>& names, const std::string& router,
           bool may_order, bool is_default = false);
  void enter(const std::string& resolver, std::vector<std::string> names, const std::string& router,
             bool may_order, bool is_default);

  const model::Dynamic& dynamic_;
  const model::Static& install_;
  const HostsOfRule& hosts_;
  std::map<std::pair<std::string, std::vector<std::string>>, Wanted> by_key_;  // by resolver and sorted names
  WantedList out_;
};

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// A container that is stopped or gone orders nothing: its routes only answer that it is.
bool is_running(const std::map<std::string, std::vector<model::Standing>>& standings,
                const std::string& service) {
  const auto found = standings.find(service);
  if (found == standings.end() || found->second.empty()) return true;
  return std::ranges::any_of(found->second, [](const model::Standing& standing) {
    return standing.state != model::ServerState::Gone;
  });
}

template <class T>
bool is_shadowed(const model::Element<T>& element) {
  return std::ranges::find(element.reasons, model::ReasonKind::Shadowed, &model::Reason::kind) !=
         element.reasons.end();
}

void Collector::add(const std::string& resolver, const std::vector<std::string>& names,
                    const std::string& router, bool may_order, bool is_default) {
  if (!install_.certificates_resolvers.contains(resolver)) return;  // the router says so already
  std::vector<std::string> usable;
  for (const std::string& written : names) {
    std::string name = certificate_name(written);
    if (name.empty())
      out_.unusable.push_back(
          {router, fmt::format("{} can be in no certificate{}", fairlead::quoted(written),
                               is_ascii(written) ? "" : ": write it as the DNS does, xn--...")});
    else if (std::ranges::find(usable, name) == usable.end())
      usable.push_back(std::move(name));
  }
  for (std::size_t begin = 0; begin < usable.size(); begin += kMostNames) {
    const std::size_t end = std::min(begin + kMostNames, usable.size());
    enter(resolver,
          {usable.begin() + static_cast<std::ptrdiff_t>(begin),
           usable.begin() + static_cast<std::ptrdiff_t>(end)},
          router, may_order, is_default);
  }
}

void Collector::enter(const std::string& resolver, std::vector<std::string> names, const std::string& router,
                      bool may_order, bool is_default) {
  std::vector<std::string> sorted = names;
  std::ranges::sort(sorted);
  const auto [at, fresh] = by_key_.try_emplace({resolver, std::move(sorted)});
  Wanted& wanted = at->second;
  if (fresh) {
    wanted.resolver = resolver;
    wanted.names = std::move(names);
    wanted.may_order = false;
  }
  wanted.may_order |= may_order;
  wanted.is_default |= is_default;
  if (std::ranges::find(wanted.routers, router) == wanted.routers.end()) wanted.routers.push_back(router);
}

template <class Tls>
void Collector::tls(const Tls& options, const std::string& router, const std::string& rule,
                    const std::string& syntax, bool is_tcp, bool may_order, bool is_own) {
  if (options.cert_resolver.empty()) return;
  if (options.domains.empty()) {
    std::vector<std::string> hosts = hosts_(rule, syntax, is_tcp);
    std::erase(hosts, "*");  // catches what has no name
    // Said where the router itself asks: what an entry point gives to all of its routers is no mistake.
    if (hosts.empty() && is_own && install_.certificates_resolvers.contains(options.cert_resolver))
      out_.unusable.push_back(
          {router, fmt::format("certResolver {} orders nothing: the rule names no host with {}; name "
                               "them in tls.domains",
                               options.cert_resolver, is_tcp ? "HostSNI()" : "Host()")});
    add(options.cert_resolver, hosts, router, may_order);
    return;
  }
  for (const model::Domain& domain : options.domains) {
    std::vector<std::string> names;
    if (!domain.main.empty()) names.push_back(domain.main);
    names.insert(names.end(), domain.sans.begin(), domain.sans.end());
    // A variable of Compose that is not set leaves it like that.
    if (names.empty()) out_.unusable.push_back({router, "an entry of tls.domains names no domain"});
    add(options.cert_resolver, names, router, may_order);
  }
}

void Collector::http(const std::string& name, const model::Element<model::HttpRouter>& element) {
  const model::HttpRouter& router = element.options;
  if (!model::takes_tls(name, router) || is_shadowed(element)) return;
  const std::string& syntax = router.rule_syntax.empty() || router.rule_syntax == "default"
                                  ? install_.core.default_rule_syntax
                                  : router.rule_syntax;
  const bool may_order = is_running(dynamic_.http.standings, router.service);
  if (router.tls)
    return tls(*router.tls, "http/" + name, router.rule, syntax, false, may_order, !element.broken());
  if (!router.parent_refs.empty()) return;
  const auto names = router.entry_points.empty() ? install_.default_entry_points(false) : router.entry_points;
  for (const std::string& entry_point : names) {
    const auto found = install_.entry_points.find(entry_point);
    if (found == install_.entry_points.end() || !found->second.http.tls) continue;
    const auto& options = *found->second.http.tls;
    // One line of the log has told it, of the entry point.
    if (!options.cert_resolver.empty() && !install_.certificates_resolvers.contains(options.cert_resolver))
      out_.unusable.push_back(
          {"http/" + name, fmt::format("there is no certificate resolver `{}`, which entry "
                                       "point `{}` names; other certificates are used",
                                       options.cert_resolver, entry_point)});
    tls(options, "http/" + name, router.rule, syntax, false, may_order, false);
  }
}

void Collector::tcp(const std::string& name, const model::Element<model::TcpRouter>& element) {
  const model::TcpRouter& router = element.options;
  if (!router.tls || is_shadowed(element)) return;
  if (router.tls->passthrough) {
    if (!element.broken() && install_.certificates_resolvers.contains(router.tls->cert_resolver))
      out_.unusable.push_back(
          {"tcp/" + name,
           fmt::format("certResolver {} orders nothing: with tls.passthrough the server behind "
                       "shows a certificate of its own",
                       router.tls->cert_resolver)});
    return;
  }
  const std::string& syntax = router.rule_syntax.empty() || router.rule_syntax == "default"
                                  ? install_.core.default_rule_syntax
                                  : router.rule_syntax;
  tls(*router.tls, "tcp/" + name, router.rule, syntax, true,
      is_running(dynamic_.tcp.standings, router.service), !element.broken());
}

void Collector::store() {
  const auto found = dynamic_.tls.stores.find("default");
  if (found == dynamic_.tls.stores.end() || found->second.broken()) return;
  const auto& generated = found->second.options.default_generated_cert;
  // A configured default certificate wins.
  if (!generated || !generated->domain || found->second.options.default_certificate) return;
  std::vector<std::string> names;
  if (!generated->domain->main.empty()) names.push_back(generated->domain->main);
  names.insert(names.end(), generated->domain->sans.begin(), generated->domain->sans.end());
  add(generated->resolver, names, "store/default", true, true);
}

}  // namespace

std::string certificate_name(std::string_view written) {
  std::string name = lower(written);
  if (is_address(name)) return name;
  if (name.ends_with('.')) name.pop_back();
  std::string_view host = name;
  if (host.starts_with("*.")) host.remove_prefix(2);
  if (host.empty() || name.size() > 253) return {};
  for (const std::string_view label : split(host, '.')) {
    if (label.empty() || label.size() > 63) return {};
    for (const char c : label)
      if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_') return {};
  }
  return name;
}

WantedList wanted_certificates(const model::Dynamic& dynamic, const model::Static& install,
                               const HostsOfRule& hosts) {
  Collector collector(dynamic, install, hosts);
  for (const auto& [name, element] : dynamic.http.routers) collector.http(name, element);
  for (const auto& [name, element] : dynamic.tcp.routers) collector.tcp(name, element);
  collector.store();
  return std::move(collector).take();
}

}  // namespace fairlead::acme
