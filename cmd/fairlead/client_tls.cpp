#include "cmd/fairlead/client_tls.h"

#include "engine/model/static.h"
#include "engine/upstream/fetch.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::cmd {
namespace {

void try_files(std::string_view option, const std::optional<model::ClientTls>& tls) {
  if (!tls) return;
  if (const auto made = upstream::make_fetch_tls(*tls); !made)
    spdlog::error("{}.tls: {}", option, made.error().what);
}

// An exporter that has both uses gRPC.
template <class Options>
void try_files_of_exporter(const std::string& option, const Options& otlp) {
  if (otlp.grpc)
    try_files(option + ".grpc", otlp.grpc->tls);
  else if (otlp.http)
    try_files(option + ".http", otlp.http->tls);
}

}  // namespace

void say_what_keeps_clients_from_tls(const model::Static& install) {
  const model::Providers& providers = install.providers;
  if (providers.docker) {
    try_files("providers.docker", providers.docker->tls);
    for (const auto& [name, host] : providers.docker->hosts)
      try_files(fmt::format("providers.docker.hosts.{}", name), host.tls);
  }
  if (providers.swarm) try_files("providers.swarm", providers.swarm->tls);
  if (providers.http) try_files("providers.http", providers.http->tls);
  if (install.tracing) try_files_of_exporter("tracing.otlp", install.tracing->otlp);
  if (install.metrics.otlp) try_files_of_exporter("metrics.otlp", *install.metrics.otlp);
  if (install.log.otlp) try_files_of_exporter("log.otlp", *install.log.otlp);
  if (install.access_log && install.access_log->otlp)
    try_files_of_exporter("accessLog.otlp", *install.access_log->otlp);
}

}  // namespace fairlead::cmd
