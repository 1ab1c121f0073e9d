#include "cmd/fairlead/views.h"

#include "cmd/fairlead/certificates.h"
#include "cmd/fairlead/supervisor.h"
#include "cmd/fairlead/version.h"
#include "engine/runtime/server_up.h"
#include "engine/tcp/registry.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace fairlead::cmd {

std::shared_ptr<const admin::Sources> Views::sources(runtime::RecordSink& sink) {
  auto made = std::make_shared<admin::Sources>();
  made->version = kVersion;
  made->codename = kCodename;
  made->started = std::chrono::system_clock::now();
  made->view = [this] { return view(); };
  made->draining = [this] { return draining_.load(); };
  made->providers = [this] { return providers(); };
  made->metrics = [&sink] { return sink.metrics(); };
  made->dropped_log_lines = [&sink] { return sink.dropped_lines(); };
  made->dropped_records = [&sink] { return sink.dropped_records(); };
  made->tcp_middleware_options = [](const model::Middleware& middleware) {
    return tcp::options_json(middleware);
  };
  made->server_up = [this](std::string_view service, std::string_view url) -> std::optional<bool> {
    const auto now = snapshot();
    return now ? runtime::server_up(*now, service, url) : std::nullopt;
  };
  made->illness = [this](std::string_view service,
                         std::string_view url) -> std::optional<model::ServerIllness> {
    const auto now = snapshot();
    return now ? runtime::server_illness(*now, service, url) : std::nullopt;
  };
  made->connections = [this] {
    std::vector<admin::OpenConnections> out;
    if (const runtime::Control* control = control_.load())
      for (auto& [name, count] : control->open_connections().all()) out.push_back({name, count});
    return out;
  };
  made->http2_floods = [this] {
    const runtime::Control* control = control_.load();
    return control ? control->http2_floods() : std::vector<std::pair<std::string_view, std::uint64_t>>();
  };
  made->udp = [this] {
    const runtime::Control* control = control_.load();
    return control ? control->udp_counts().by_entry_point() : std::vector<admin::UdpCounts>();
  };
  made->http01 = [this](std::string_view token) -> std::optional<std::string> {
    const Certificates* certificates = certificates_.load();
    return certificates ? certificates->http01(token) : std::nullopt;
  };
  made->certificates = [this] {
    const Certificates* certificates = certificates_.load();
    return certificates ? certificates->views() : std::vector<admin::CertificateView>{};
  };
  made->put_configuration = [this](std::string_view json) -> std::expected<std::string, std::string> {
    if (const Supervisor* supervisor = supervisor_.load()) return supervisor->put(json);
    return std::unexpected("not started yet");
  };
  made->certificate_reasons = [this](std::string_view router) {
    const Certificates* certificates = certificates_.load();
    return certificates ? certificates->reasons(router) : std::vector<model::Reason>{};
  };
  return made;
}

void Views::watch(runtime::Control& control) {
  control_.store(&control);
  // On the control thread: usage is worked out once per configuration, not per API call.
  control.on_applied([this, &control](const std::shared_ptr<const runtime::Snapshot>& snapshot) {
    auto fresh = std::make_shared<admin::AdminView>();
    fresh->install = snapshot->install;
    fresh->dynamic = snapshot->dynamic;
    fresh->usage = model::usage_of(*snapshot->dynamic, *snapshot->install);
    fresh->reloads = control.reloads();
    fresh->applied = std::chrono::system_clock::now();
    if (Certificates* certificates = certificates_.load()) certificates->update(*snapshot);
    const std::lock_guard lock(mutex_);
    view_ = std::move(fresh);
    snapshot_ = snapshot;
  });
}

std::shared_ptr<const admin::AdminView> Views::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

std::shared_ptr<const runtime::Snapshot> Views::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

std::vector<admin::ProviderState> Views::providers() const {
  std::vector<admin::ProviderState> out;
  const Supervisor* supervisor = supervisor_.load();
  if (!supervisor) return out;
  for (const auto& [name, status] : supervisor->statuses())
    out.push_back({name, status.connected, status.detail, status.since});
  return out;
}

ControlSocket::Commands Views::commands() {
  ControlSocket::Commands commands;
  commands["version"] = [](std::string_view) {
    return nlohmann::json{{"version", kVersion}, {"codename", kCodename}}.dump();
  };
  commands["status"] = [this](std::string_view) {
    nlohmann::json out{{"draining", draining_.load()}, {"providers", nlohmann::json::array()}};
    for (const admin::ProviderState& provider : providers())
      out["providers"].push_back(
          {{"name", provider.name}, {"connected", provider.connected}, {"detail", provider.detail}});
    if (const auto now = view()) {
      out["reloads"] = now->reloads;
      out["routers"] = now->dynamic->http.routers.size();
      out["services"] = now->dynamic->http.services.size();
    }
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  commands["routers"] = [this](std::string_view) {
    nlohmann::json out = nlohmann::json::array();
    if (const auto now = view())
      for (const auto& [name, router] : now->dynamic->http.routers) {
        nlohmann::json one{{"name", name}, {"rule", router.options.rule}, {"broken", router.broken()}};
        for (const model::Reason& reason : router.reasons) one["reasons"].push_back(reason.text);
        if (const Certificates* certificates = certificates_.load())
          for (const model::Reason& reason : certificates->reasons("http/" + name))
            one["reasons"].push_back(reason.text);
        out.push_back(std::move(one));
      }
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  commands["certs"] = [this](std::string_view arguments) {
    Certificates* certificates = certificates_.load();
    return certificates ? certificates->command(arguments) : std::string(R"({"error":"not started yet"})");
  };
  return commands;
}

}  // namespace fairlead::cmd
