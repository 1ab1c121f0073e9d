#include "engine/base/strings.h"
#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/router_tree.h"
#include "engine/model/rule_scan.h"
#include "engine/model/served_routers.h"
#include "engine/model/static.h"
#include "engine/model/validate_parts.h"
#include "engine/schema/suggest.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace fairlead::model {
namespace {

class Routers {
 public:
  Routers(Dynamic& dynamic, const Static& install) : d_(dynamic), s_(install) {
    for (const auto& [name, entry_point] : install.entry_points) {
      const auto address = parse_listen_address(entry_point.address);
      if (!address) continue;
      (address->udp ? udp_ : tcp_).insert(name);
    }
    default_tcp_ = install.default_entry_points(false);
    default_udp_ = install.default_entry_points(true);
    for (const auto& [name, element] : dynamic.http.routers)
      for (const std::string& parent : element.options.parent_refs) parents_.insert(parent);
  }

  void http(const std::string& name, Element<HttpRouter>& element);
  void tcp(const std::string& name, Element<TcpRouter>& element);
  void udp(Element<UdpRouter>& element);

 private:
  template <class T>
  void entry_points(Element<T>& element, const std::set<std::string>& known,
                    const std::vector<std::string>& defaults, const char* protocol);
  template <class T>
  void priority(const std::string& name, Element<T>& element);
  template <class T>
  void rule(Element<T>& element);
  template <class TlsBlock, class T>
  void tls(const TlsBlock& block, Element<T>& element);
  template <class T>
  void names_a_service(Element<T>& element);
  void parents(Element<HttpRouter>& element);
  const std::optional<Reason>& fault_of(const std::string& name, std::string_view provider, bool has_own_tls);
  void inherited(const std::string& name, Element<HttpRouter>& element);

  Dynamic& d_;
  const Static& s_;
  std::set<std::string> tcp_;
  std::set<std::string> udp_;
  std::vector<std::string> default_tcp_;
  std::vector<std::string> default_udp_;
  std::set<std::string> parents_;  // routers that have children
  // What the routers of a provider suffer from at an entry point: {entry point, provider, TLS of their own}.
  std::map<std::tuple<std::string, std::string, bool>, std::optional<Reason>> faults_;
};

// An entry point guards its routers by its middlewares, and by its TLS those that have none of their own:
// when these are broken, so are they.
const std::optional<Reason>& Routers::fault_of(const std::string& name, std::string_view provider,
                                               bool has_own_tls) {
  const auto [known, is_new] = faults_.try_emplace({name, std::string(provider), has_own_tls});
  const auto found = s_.entry_points.find(name);
  if (!is_new || found == s_.entry_points.end()) return known->second;
  const EntryPoint& entry_point = found->second;
  Element<EntryPoint> probe;
  for (const std::string& middleware : middlewares_for(entry_point, provider))
    require(probe, d_.http.middlewares, middleware, "middleware");
  if (entry_point.http.tls && !has_own_tls) {
    const std::string options = tls_options_for(*entry_point.http.tls, provider);
    if (!options.empty() && options != "default")
      require(probe, d_.tls.options, options, "set of TLS options");
  }
  if (const Reason* reason = first_break(probe)) {
    known->second = *reason;
    known->second->text = fmt::format("entry point `{}`: {}", name, reason->text);
  }
  return known->second;
}

void Routers::inherited(const std::string& router, Element<HttpRouter>& element) {
  const std::string_view provider = split(router).provider;
  const auto& names = element.options.entry_points.empty() ? default_tcp_ : element.options.entry_points;
  std::vector<Reason> faults;
  for (const std::string& name : names)
    if (const std::optional<Reason>& fault = fault_of(name, provider, element.options.tls.has_value()))
      faults.push_back(*fault);
  // At its other entry points it serves on.
  for (Reason& fault : faults) {
    fault.breaks = faults.size() == names.size();
    element.reasons.push_back(std::move(fault));
  }
}

template <class T>
void Routers::entry_points(Element<T>& element, const std::set<std::string>& known,
                           const std::vector<std::string>& defaults, const char* protocol) {
  const std::vector<std::string>& names = element.options.entry_points;
  if (names.empty() && defaults.empty() && !s_.entry_points.empty())
    element.break_off(
        ReasonKind::MissingReference,
        fmt::format("no {} entry point is there for this router, so it serves nothing", protocol),
        fmt::format("define one, entryPoints.<name>.address=:<port>/{}", lower(protocol)));
  std::size_t bound = 0;
  for (const std::string& name : names) {
    if (known.contains(name)) {
      ++bound;
      continue;
    }
    std::string all;
    for (const std::string& other : known) all += (all.empty() ? "" : "|") + other;
    const std::string near = schema::nearest_choice(all, name);
    element.warn(ReasonKind::MissingReference,
                 s_.entry_points.contains(name)
                     ? fmt::format("entryPoint \"{}\" is no {} entry point", name, protocol)
                     : fmt::format("entryPoint \"{}\" doesn't exist", name),
                 near.empty() ? "" : fmt::format("did you mean `{}`?", near));
  }
  if (!names.empty() && bound == 0)
    element.break_off(ReasonKind::MissingReference,
                      "no valid entryPoint for this router, so it serves nothing");
}

template <class T>
void Routers::priority(const std::string& name, Element<T>& element) {
  if (element.options.priority > kHighestUserPriority && split(name).provider != kInternalProvider)
    element.break_off(ReasonKind::BadOption, fmt::format("the priority {} is reserved; the highest is {}",
                                                         element.options.priority, kHighestUserPriority));
}

template <class T>
void Routers::rule(Element<T>& element) {
  const std::string& syntax = element.options.rule_syntax;
  if (!syntax.empty() && syntax != "v2" && syntax != "v3" && syntax != "default")
    element.warn(ReasonKind::BadOption, fmt::format("ruleSyntax \"{}\" is unknown; v3 is used", syntax));
  // A provider that gives rules by default says itself why it gave none.
  const bool is_said = std::ranges::any_of(element.reasons, [](const Reason& reason) {
    return reason.breaks && reason.kind == ReasonKind::BadOption;
  });
  if (element.options.rule.empty() && !is_said) element.break_off(ReasonKind::BadOption, "has no rule");
}

template <class TlsBlock, class T>
void Routers::tls(const TlsBlock& block, Element<T>& element) {
  if (!block.options.empty() && block.options != "default")
    require(element, d_.tls.options, block.options, "set of TLS options");
  if (!block.cert_resolver.empty() && !s_.certificates_resolvers.contains(block.cert_resolver))
    element.warn(ReasonKind::MissingReference,
                 fmt::format("there is no certificate resolver `{}`; other certificates are used",
                             block.cert_resolver),
                 hint_for(block.cert_resolver, s_.certificates_resolvers));
}

// A provider that links routers by itself says first why it could not.
template <class T>
void Routers::names_a_service(Element<T>& element) {
  const bool is_told = std::ranges::any_of(element.reasons, [](const Reason& reason) {
    return reason.breaks && reason.kind == ReasonKind::MissingReference;
  });
  if (element.options.service.empty() && !is_told)
    element.break_off(ReasonKind::MissingReference, "names no service");
}

void Routers::parents(Element<HttpRouter>& element) {
  const HttpRouter& router = element.options;
  if (router.parent_refs.empty()) return;
  if (!router.entry_points.empty() || router.tls || router.observability)
    element.break_off(ReasonKind::BadOption,
                      "a router with parentRefs may not have entryPoints, tls or observability of its own");
  for (const std::string& parent : router.parent_refs) {
    const auto found = d_.http.routers.find(parent);
    if (found == d_.http.routers.end())
      element.break_off(ReasonKind::MissingReference, fmt::format("the router \"{}\" does not exist", parent),
                        hint_for(parent, d_.http.routers));
    else if (!found->second.options.service.empty())
      element.break_off(ReasonKind::BadOption,
                        fmt::format("the router \"{}\" has a service, so it cannot be a parent", parent));
  }
}

void Routers::http(const std::string& name, Element<HttpRouter>& element) {
  HttpRouter& router = element.options;
  if (!parents_.contains(name)) names_a_service(element);
  if (router.parent_refs.empty()) entry_points(element, tcp_, default_tcp_, "TCP");
  rule(element);
  priority(name, element);
  require_all(element, d_.http.middlewares, router.middlewares, "middleware");
  if (!router.service.empty()) require(element, d_.http.services, router.service, "service");
  parents(element);
  if (router.parent_refs.empty() && takes_middlewares(name, router)) inherited(name, element);
  if (router.tls) tls(*router.tls, element);
}

void Routers::tcp(const std::string& name, Element<TcpRouter>& element) {
  TcpRouter& router = element.options;
  names_a_service(element);
  entry_points(element, tcp_, default_tcp_, "TCP");
  rule(element);
  priority(name, element);
  require_all(element, d_.tcp.middlewares, router.middlewares, "TCP middleware");
  if (!router.service.empty()) require(element, d_.tcp.services, router.service, "TCP service");
  if (router.tls) {
    if (!router.tls->passthrough) tls(*router.tls, element);
    return;
  }
  // A connection without TLS tells no name: such a rule could never match.
  const bool names_a_host = !matcher_arguments(router.rule, "HostSNIRegexp").empty() ||
                            std::ranges::any_of(matcher_arguments(router.rule, "HostSNI"),
                                                [](const std::string& name) { return name != "*"; });
  if (names_a_host)
    element.break_off(ReasonKind::BadOption, "without `tls` only HostSNI(`*`) can match",
                      "set `tls: {}` or tls=true");
}

void Routers::udp(Element<UdpRouter>& element) {
  names_a_service(element);
  entry_points(element, udp_, default_udp_, "UDP");
  if (!element.options.service.empty())
    require(element, d_.udp.services, element.options.service, "UDP service");
}

}  // namespace

void validate_routers(Dynamic& dynamic, const Static& install) {
  Routers routers(dynamic, install);
  for (auto& [name, element] : dynamic.http.routers) routers.http(name, element);
  settle_parents(dynamic.http.routers);
  for (auto& [name, element] : dynamic.tcp.routers) routers.tcp(name, element);
  for (auto& [name, element] : dynamic.udp.routers) routers.udp(element);
}

}  // namespace fairlead::model
