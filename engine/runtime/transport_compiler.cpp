#include "engine/runtime/transport_compiler.h"

#include "engine/model/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::runtime {
namespace {

constexpr auto kContainerDial = std::chrono::seconds(5);
constexpr auto kDefaultDial = std::chrono::seconds(30);

}  // namespace

Duration dial_timeout(const std::optional<schema::Duration>& wanted, bool container) {
  if (wanted) return *wanted;
  return container ? Duration(kContainerDial) : Duration(kDefaultDial);
}

std::shared_ptr<const upstream::TransportOptions> TransportCompiler::transport(const std::string& name,
                                                                               bool container, Secure secure,
                                                                               std::string& problem) {
  const std::string key = fmt::format("{}|{}|{}", name, container, std::to_underlying(secure));
  if (const auto made = made_.find(key); made != made_.end()) return made->second;
  model::ServersTransport options;
  if (name.empty() || name == "default@internal") {
    // Served without it, what the option asks to be verified would not be.
    if (secure == Secure::Yes && !install_.servers_transport.spiffe.is_null()) {
      problem = "spiffe is not supported; remove it to verify servers by certificate authorities";
      return nullptr;
    }
    options = model::default_servers_transport(install_);
  } else {
    const auto found = dynamic_.http.servers_transports.find(name);
    if (found == dynamic_.http.servers_transports.end() || found->second.broken()) return nullptr;
    options = found->second.options;
  }
  auto made = std::make_shared<upstream::TransportOptions>();
  made->name = name.empty() ? "default@internal" : name;
  const model::ForwardingTimeouts& timeouts = options.forwarding_timeouts;
  made->dial_timeout = dial_timeout(timeouts.dial_timeout, container);
  made->response_header_timeout = timeouts.response_header_timeout;
  made->idle_timeout = timeouts.idle_conn_timeout;
  made->http2 = !options.disable_http2;
  made->read_idle_timeout = timeouts.read_idle_timeout;
  made->ping_timeout = timeouts.ping_timeout;
  made->max_idle_per_host =
      options.max_idle_conns_per_host == 0
          ? 2
          : static_cast<int>(std::clamp<std::int64_t>(options.max_idle_conns_per_host, -1, 1'000'000));
  if (options.proxy_protocol) made->proxy_version = static_cast<int>(options.proxy_protocol->version);
  made->key = model::hash_of(options) ^ (container ? 1 : 0);
  if (secure == Secure::Yes) secured_.insert(made->name);
  if (secure != Secure::No && !this->secure(options, *made, problem) && secure == Secure::Yes) {
    const auto element = dynamic_.http.servers_transports.find(made->name);
    if (element != dynamic_.http.servers_transports.end())
      element->second.break_off(model::ReasonKind::BadOption, problem);
    return nullptr;
  }
  return made_[key] = std::move(made);
}

bool TransportCompiler::secure(const model::ServersTransport& options, upstream::TransportOptions& made,
                               std::string& problem) {
  ClientContexts::Found found = compiler_.client_contexts_.find(made.key, options);
  problem = std::move(found.problem);
  if (!found.context) return false;
  if (!problem.empty()) warn(made.name, problem + "; what the file said before is used");
  for (const std::string& notice : found.context->notices()) warn(made.name, notice);
  made.key = found.key;
  made.tls = std::move(found.context);
  return true;
}

void TransportCompiler::warn(const std::string& name, const std::string& what) {
  const auto element = dynamic_.http.servers_transports.find(name);
  if (element == dynamic_.http.servers_transports.end()) return;
  std::vector<model::Reason>& told = element->second.reasons;
  const model::Reason reason{model::ReasonKind::BadOption, what, {}, false};
  if (std::ranges::find(told, reason) == told.end()) told.push_back(reason);
}

void TransportCompiler::finish() {
  for (auto& [name, element] : dynamic_.http.servers_transports) {
    const model::ServersTransport& options = element.options;
    if (element.broken() || secured_.contains(name)) continue;
    if (options.root_cas.empty() && options.certificates.empty() && options.cipher_suites.empty()) continue;
    std::string problem;  // is attached to the element
    transport(name, false, Secure::Yes, problem);
  }
}

}  // namespace fairlead::runtime
