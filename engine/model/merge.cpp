#include "engine/model/merge.h"

#include "engine/model/references.h"

#include <fmt/format.h>

#include <utility>

namespace fairlead::model {
namespace {

constexpr std::string_view kDefault = "default";

// Their labels are written by whoever may start a container.
bool is_of_containers(std::string_view provider) { return provider == "docker" || provider == "swarm"; }

// Joins one provider into the whole. Names of elements always get the provider behind them, so that a
// container cannot take a name of another provider by writing it with an `@`.
class Joiner {
 public:
  Joiner(Dynamic& out, std::string_view provider) : out_(out), provider_(provider) {}

  void join(const Dynamic& in) {
    http(in.http);
    tcp(in.tcp);
    udp(in.udp);
    tls(in.tls);
    for (const Reason& reason : in.reasons) out_.reasons.push_back(reason);
  }

 private:
  void http(const Http& in);
  void tcp(const Tcp& in);
  void udp(const Udp& in);
  void tls(const Tls& in);

  std::string own(const std::string& name) const { return fmt::format("{}@{}", name, provider_); }

  void refer(std::string& name) const { name = qualify(name, provider_); }
  void refer(std::vector<std::string>& names) const {
    for (std::string& name : names) refer(name);
  }
  template <class RouterTlsType>
  void refer_tls(std::optional<RouterTlsType>& tls) const {
    if (tls && tls->options != kDefault) refer(tls->options);
  }

  template <class T, class Qualify>
  void each(const std::map<std::string, Element<T>>& in, std::map<std::string, Element<T>>& out,
            Qualify qualify) {
    for (const auto& [name, element] : in) {
      Element<T>& copy = out.insert_or_assign(own(name), element).first->second;
      qualify(copy.options);
    }
  }
  void standings(const std::map<std::string, std::vector<Standing>>& in,
                 std::map<std::string, std::vector<Standing>>& out) {
    for (const auto& [service, servers] : in) out.insert_or_assign(own(service), servers);
  }
  // `default` is one for all providers.
  template <class T>
  void global(const std::string& name, const Element<T>& element, std::map<std::string, Element<T>>& out,
              const char* what);

  Dynamic& out_;
  std::string_view provider_;
};

void Joiner::http(const Http& in) {
  each(in.routers, out_.http.routers, [this](HttpRouter& router) {
    refer(router.middlewares);
    refer(router.service);
    refer(router.parent_refs);
    refer_tls(router.tls);
  });
  each(in.services, out_.http.services, [this](HttpService& service) {
    for_each_reference(service, [this](std::string& name) { refer(name); });
  });
  each(in.middlewares, out_.http.middlewares, [this](Middleware& middleware) {
    for_each_reference(middleware, [this](std::string& name) { refer(name); });
  });
  each(in.servers_transports, out_.http.servers_transports, [](ServersTransport&) {});
  standings(in.standings, out_.http.standings);
}

void Joiner::tcp(const Tcp& in) {
  each(in.routers, out_.tcp.routers, [this](TcpRouter& router) {
    refer(router.middlewares);
    refer(router.service);
    refer_tls(router.tls);
  });
  each(in.services, out_.tcp.services, [this](TcpService& service) {
    for_each_reference(service, [this](std::string& name) { refer(name); });
  });
  each(in.middlewares, out_.tcp.middlewares, [](Middleware&) {});
  each(in.servers_transports, out_.tcp.servers_transports, [](TcpServersTransport&) {});
  standings(in.standings, out_.tcp.standings);
}

void Joiner::udp(const Udp& in) {
  each(in.routers, out_.udp.routers, [this](UdpRouter& router) { refer(router.service); });
  each(in.services, out_.udp.services, [this](UdpService& service) {
    for_each_reference(service, [this](std::string& name) { refer(name); });
  });
  standings(in.standings, out_.udp.standings);
}

template <class T>
void Joiner::global(const std::string& name, const Element<T>& element,
                    std::map<std::string, Element<T>>& out, const char* what) {
  const auto [place, is_new] = out.try_emplace(name, element);
  if (is_new || place->second.options == element.options) return;
  std::string text = fmt::format("the {} `default` are defined by {} and, differently, by {}", what,
                                 place->second.origin.source, element.origin.source);
  const char* const hint = "leave one of the two definitions";
  if (is_of_containers(provider_))
    place->second.warn(ReasonKind::Conflict, std::move(text.append("; the former count")), hint);
  else
    place->second.break_off(ReasonKind::Conflict, std::move(text), hint);
}

void Joiner::tls(const Tls& in) {
  for (const Element<TlsCertificate>& certificate : in.certificates)
    out_.tls.certificates.push_back(certificate);
  for (const auto& [name, element] : in.options) {
    if (name == kDefault)
      global(name, element, out_.tls.options, "TLS options");
    else
      out_.tls.options.insert_or_assign(own(name), element);
  }
  for (const auto& [name, element] : in.stores) {
    if (name == kDefault)
      global(name, element, out_.tls.stores, "settings of the TLS store");
    else
      out_.tls.stores.insert_or_assign(own(name), element);
  }
}

}  // namespace

std::string qualify(std::string_view name, std::string_view provider) {
  if (name.empty() || name.find('@') != std::string_view::npos) return std::string(name);
  return fmt::format("{}@{}", name, provider);
}

QualifiedName split(std::string_view qualified) {
  const std::size_t at = qualified.rfind('@');
  if (at == std::string_view::npos) return {qualified, {}};
  return {qualified.substr(0, at), qualified.substr(at + 1)};
}

Dynamic merge(std::span<const ProviderConfig> providers) {
  Dynamic out;
  for (const bool of_containers : {false, true})
    for (const ProviderConfig& provider : providers)
      if (provider.config && is_of_containers(provider.provider) == of_containers)
        Joiner(out, provider.provider).join(*provider.config);
  return out;
}

void bring_up_to_date(Dynamic& merged, std::string_view provider, const Told& told) {
  for (auto* standings : {&merged.http.standings, &merged.tcp.standings, &merged.udp.standings})
    for (auto& [service, servers] : *standings) {
      if (split(service).provider != provider) continue;
      for (Standing& standing : servers)
        if (const auto news = told.find(standing.url); news != told.end()) {
          standing.state = news->second.state;
          standing.reasons = news->second.reasons;
        }
    }
}

}  // namespace fairlead::model
