#include "cmd/fairlead/supervisor.h"

#include "engine/middleware/registry.h"
#include "engine/model/short_labels.h"
#include "engine/tcp/registry.h"
#include "providers/docker/docker.h"
#include "providers/docker/swarm.h"
#include "providers/file/file.h"
#include "providers/http/http.h"
#include "providers/rest/rest.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdlib>

namespace fairlead::cmd {
namespace {

constexpr std::array<const char*, 5> kNames = {"docker", "swarm", "file", "http", "rest"};

std::optional<std::string> process_variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value || !*value) return std::nullopt;
  return value;
}

model::MiddlewareTypes middleware_types() { return {middleware::type_names(), tcp::type_names()}; }

bool is_wanted(std::string_view name, const model::Providers& options) {
  if (name == "docker") return options.docker.has_value();
  if (name == "swarm") return options.swarm.has_value();
  if (name == "file") return options.file.has_value();
  if (name == "http") return options.http.has_value();
  return options.rest.has_value();
}

void say(const char* name, const ConfigError& error) {
  spdlog::error("provider {}: {}: {}; it is not started", name, error.path, error.what);
}

template <class P>
std::unique_ptr<providers::Provider> made_or_said(const char* name, Configured<std::unique_ptr<P>> made) {
  if (made) return std::move(*made);
  say(name, made.error());
  return nullptr;
}

}  // namespace

Supervisor::Supervisor(runtime::Control& control, std::shared_ptr<const model::Static> install)
    : control_(control), install_(std::move(install)) {}

Supervisor::~Supervisor() { stop(); }

std::unique_ptr<providers::Provider> Supervisor::make(const std::string& name, const model::Static& install) {
  const model::Providers& options = install.providers;
  const model::MiddlewareTypes types = middleware_types();
  const model::ShortLabelDefaults short_labels = model::short_label_defaults(install);
  const Duration throttle = options.throttle_duration;
  if (name == "docker" && options.docker)
    return made_or_said("docker", providers::docker::Docker::make(*options.docker, types, short_labels,
                                                                  throttle, process_variable));
  if (name == "swarm" && options.swarm)
    return made_or_said(
        "swarm", providers::docker::Swarm::make(*options.swarm, types, short_labels, process_variable));
  if (name == "file" && options.file)
    return made_or_said("file", providers::file::File::make(*options.file, types, throttle));
  if (name == "http" && options.http)
    return made_or_said("http", providers::http::Http::make(*options.http, types));
  if (name == "rest" && options.rest) return std::make_unique<providers::rest::Rest>();
  return nullptr;
}

bool Supervisor::same_options(const std::string& name, const model::Static& a, const model::Static& b) {
  // What was put stays, whatever else changes.
  if (name == "rest") return a.providers.rest.has_value() == b.providers.rest.has_value();
  if (name == "http") return a.providers.http == b.providers.http;
  if (a.providers.throttle_duration != b.providers.throttle_duration) return false;
  if (name == "file") return a.providers.file == b.providers.file;
  if (model::short_label_defaults(a) != model::short_label_defaults(b)) return false;
  if (name == "docker") return a.providers.docker == b.providers.docker;
  return a.providers.swarm == b.providers.swarm;
}

void Supervisor::start() {
  std::set<std::string> expected;
  for (const char* name : kNames)
    if (auto provider = make(name, *install_)) {
      expected.insert(name);
      const std::lock_guard lock(mutex_);
      providers_[name] = std::move(provider);
    }
  control_.start(install_, std::move(expected));
  for (auto& [name, provider] : providers_) provider->start(*this);
}

void Supervisor::change(std::shared_ptr<const model::Static> install) {
  if (*install == *install_) {
    spdlog::info("install configuration read again: nothing changed");
    return;
  }
  const std::shared_ptr<const model::Static> before = std::exchange(install_, install);
  for (const std::string& problem : control_.change_install(install)) spdlog::error("{}", problem);
  if (before->workers != install->workers)
    spdlog::warn("workers cannot change while running: {} takes effect at the next start", install->workers);
  for (const char* name : kNames) {
    if (same_options(name, *before, *install)) continue;
    auto provider = make(name, *install);
    const auto running = providers_.find(name);
    if (!provider && running != providers_.end() && is_wanted(name, install->providers)) {
      spdlog::error("provider {} goes on with its former options", name);
      continue;
    }
    if (running != providers_.end()) {
      running->second->stop();
      const std::lock_guard lock(mutex_);
      providers_.erase(running);
    }
    if (provider) {
      provider->start(*this);
      const std::lock_guard lock(mutex_);
      providers_[name] = std::move(provider);
      spdlog::info("provider {} started with its new options", name);
    } else {
      control_.publish(name, nullptr);
    }
  }
  spdlog::info("install configuration applied");
}

void Supervisor::refresh() {
  for (auto& [name, provider] : providers_) provider->refresh();
}

void Supervisor::stop() {
  for (auto& [name, provider] : providers_) provider->stop();
  const std::lock_guard lock(mutex_);
  providers_.clear();
}

std::map<std::string, providers::Status> Supervisor::statuses() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, providers::Status> out;
  for (const auto& [name, provider] : providers_) out[name] = provider->status();
  return out;
}

std::expected<std::string, std::string> Supervisor::put(std::string_view json) const {
  auto read = providers::rest::read(json, middleware_types());
  if (!read) return std::unexpected(fmt::format("{}: {}", read.error().path, read.error().what));
  const std::lock_guard lock(mutex_);
  const auto found = providers_.find("rest");
  if (found == providers_.end()) return std::unexpected("providers.rest is not switched on");
  static_cast<providers::rest::Rest&>(*found->second).take(std::move(read->config));
  return std::move(read->json);
}

void Supervisor::publish(std::string_view provider, std::shared_ptr<const model::Dynamic> config) {
  control_.publish(std::string(provider), std::move(config));
}

void Supervisor::server_state(std::string_view provider, std::string_view url, model::ServerState state,
                              std::vector<model::Reason> reasons) {
  control_.server_state(std::string(provider), std::string(url), state, std::move(reasons));
}

// Of the others the install configuration has told what is missing.
void say_what_keeps_providers_from_starting(const model::Static& install) {
  using namespace providers::docker;
  const model::Providers& options = install.providers;
  if (options.docker)
    if (auto good = Docker::check(*options.docker, process_variable); !good) say("docker", good.error());
  if (options.swarm)
    if (auto good = Swarm::check(*options.swarm, process_variable); !good) say("swarm", good.error());
  if (options.http && !options.http->endpoint.empty() && options.http->poll_interval > Duration::zero())
    if (auto good = providers::http::Http::check(*options.http); !good) say("http", good.error());
}

}  // namespace fairlead::cmd
