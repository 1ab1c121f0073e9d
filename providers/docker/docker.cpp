#include "providers/docker/docker.h"

#include "providers/docker/surroundings.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace fairlead::providers::docker {
namespace {

constexpr Duration kLongest = std::chrono::hours(1);           // of a wait, when nothing is due
constexpr Duration kOthersPatience = std::chrono::seconds(2);  // for other engines, once one was listed

Moment moment() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

// "docker", or "docker engine edge" when there are several.
std::string title(const std::string& host) { return host.empty() ? "docker" : "docker engine " + host; }

std::map<std::string, Place> places(const model::DockerProvider& options,
                                    const std::map<std::string, Endpoint>& endpoints) {
  std::map<std::string, Place> out;
  for (const auto& [name, endpoint] : endpoints) {
    Place place = look_around(endpoint);
    place.use_bind_port_ip = options.use_bind_port_ip;
    place.network = options.network;
    if (const auto own = options.hosts.find(name); own != options.hosts.end() && !own->second.network.empty())
      place.network = own->second.network;
    out.emplace(name, std::move(place));
  }
  return out;
}

Configured<std::map<std::string, Endpoint>> resolve_endpoints(const model::DockerProvider& options,
                                                              const Environment& environment) {
  std::map<std::string, Endpoint> endpoints;
  auto own = resolve_endpoint(options.endpoint, options.tls, options.username, options.password, environment);
  if (!own) return misconfigured("providers.docker.endpoint", own.error());
  // With engines by name, one on this machine need not exist.
  const std::string& socket = own->reach.unix_socket;
  const bool absent = !options.endpoint && !socket.empty() && ::access(socket.c_str(), F_OK) != 0;
  if (options.hosts.empty() || !absent) endpoints.emplace("", std::move(*own));
  for (const auto& [name, host] : options.hosts) {
    auto endpoint =
        resolve_endpoint(host.endpoint, host.tls, {}, {}, [](const char*) { return std::nullopt; });
    if (!endpoint)
      return misconfigured(fmt::format("providers.docker.hosts.{}.endpoint", name), endpoint.error());
    endpoints.emplace(name, std::move(*endpoint));
  }
  return endpoints;
}

}  // namespace

Configured<> Docker::check(const model::DockerProvider& options, const Environment& environment) {
  if (auto settings = make_settings(options, {}, {}); !settings) return std::unexpected(settings.error());
  if (auto endpoints = resolve_endpoints(options, environment); !endpoints)
    return std::unexpected(endpoints.error());
  return {};
}

Configured<std::unique_ptr<Docker>> Docker::make(const model::DockerProvider& options,
                                                 const model::MiddlewareTypes& types,
                                                 const model::ShortLabelDefaults& short_labels,
                                                 Duration throttle, const Environment& environment) {
  auto settings = make_settings(options, types, short_labels);
  if (!settings) return std::unexpected(settings.error());
  auto endpoints = resolve_endpoints(options, environment);
  if (!endpoints) return std::unexpected(endpoints.error());
  return std::unique_ptr<Docker>(new Docker(options, std::move(*settings), throttle, std::move(*endpoints)));
}

Docker::Docker(const model::DockerProvider& options, Settings settings, Duration throttle,
               std::map<std::string, Endpoint> endpoints)
    : watch_(options.watch),
      endpoints_(std::move(endpoints)),
      catalog_(std::move(settings), places(options, endpoints_)),
      throttle_(throttle),
      prober_([this](const ProbeJob& job, std::vector<ProbeResult> results) {
        {
          const std::lock_guard lock(mutex_);
          probed_.push_back({job, std::move(results)});
        }
        reports_.push({.kind = Report::Kind::Happened, .host = job.host});  // wakes the control thread
      }) {
  for (const auto& [name, endpoint] : endpoints_) {
    unlisted_.insert(name);
    statuses_[name] = {false, "connecting to " + endpoint.shown, std::chrono::system_clock::now()};
    watchers_.push_back(
        std::make_unique<Watcher>(name, endpoint, options.http_client_timeout, watch_, reports_));
  }
}

Docker::~Docker() { stop(); }

void Docker::start(Sink& sink) {
  prober_.start();
  thread_ = std::thread([this, &sink] { run(sink); });
  for (const auto& watcher : watchers_) watcher->start();
}

void Docker::stop() {
  for (const auto& watcher : watchers_) watcher->stop();
  prober_.stop();
  reports_.close();
  if (thread_.joinable()) thread_.join();
}

void Docker::refresh() {
  for (const auto& watcher : watchers_) watcher->refresh();
}

Status Docker::status() const {
  const std::lock_guard lock(mutex_);
  Status out{true, {}, {}};
  for (const auto& [host, status] : statuses_) {
    out.connected = out.connected && status.connected;
    out.since = std::max(out.since, status.since);
    if (!out.detail.empty()) out.detail += "; ";
    out.detail += host.empty() ? status.detail : host + ": " + status.detail;
  }
  return out;
}

std::uint64_t Docker::calls() const {
  std::uint64_t out = 0;
  for (const auto& watcher : watchers_) out += watcher->calls();
  return out;
}

TimePoint Docker::wake_at() const {
  TimePoint at = std::chrono::steady_clock::now() + kLongest;
  if (const auto due = throttle_.due(); due && complete()) at = std::min(at, *due);
  if (others_until_ && !unlisted_.empty()) at = std::min(at, *others_until_);
  if (const auto tick = catalog_.next_tick()) at = std::min(at, *tick);
  return at;
}

// Nothing is published before it is complete: a route must not be missing because its engine is still being
// listed, or have a wrong port for a moment.
bool Docker::complete() const {
  return unlisted_.empty() && (published_ != nullptr || !catalog_.choosing_ports());
}

void Docker::run(Sink& sink) {
  while (!reports_.closed()) {
    if (const auto report = reports_.pop_until(wake_at())) apply(*report, sink);
    std::vector<Probed> probed;
    {
      const std::lock_guard lock(mutex_);
      probed.swap(probed_);
    }
    for (const Probed& p : probed) follow(catalog_.probed(p.job.host, p.job.id, p.results, moment()), sink);
    follow(catalog_.tick(moment()), sink);
    if (std::exchange(probes_changed_, false)) prober_.set_jobs(catalog_.probes());
    const TimePoint now = std::chrono::steady_clock::now();
    if (others_until_ && *others_until_ <= now) unlisted_.clear();
    if (complete() && throttle_.take(now)) publish(sink);
  }
}

void Docker::apply(const Report& report, Sink& sink) {
  Moment now = moment();
  switch (report.kind) {
    case Report::Kind::Connected:
    case Report::Kind::Lost:
      say(report);
      // An engine that does not answer must not keep the others' containers waiting.
      if (report.kind == Report::Kind::Lost && endpoints_.size() > 1 && unlisted_.erase(report.host) > 0)
        throttle_.changed(now.steady);
      return;
    case Report::Kind::Happened: {
      const Event& event = report.event;
      if (report.at != TimePoint{}) now.steady = report.at;
      if (event.action == Event::Action::Started)
        follow(catalog_.started(report.host, event.container, now, event.told), sink);
      if (event.action == Event::Action::Stopping)
        follow(catalog_.stopping(report.host, event.container, event.signal, now, event.told), sink);
      if (event.action == Event::Action::Ended)
        follow(catalog_.ended(report.host, event.container, event.exit_code, now, event.told), sink);
      if (event.action == Event::Action::Removed)
        follow(catalog_.removed(report.host, event.container, now), sink);
      return;
    }
    case Report::Kind::Inspected:
    case Report::Kind::Listed:
      // Whoever uses another's network comes after it, or would have to say that it is unknown.
      for (const bool guest : {false, true})
        for (const Container& container : report.containers)
          if (container.network_of().empty() != guest)
            follow(catalog_.seen(container, report.first, now, report.at), sink);
      now.steady = report.at;
      for (const std::string& id : report.gone) follow(catalog_.removed(report.host, id, now), sink);
      if (report.kind == Report::Kind::Listed && unlisted_.erase(report.host) > 0) {
        throttle_.changed(now.steady - Throttle::kMost);  // at once
        if (!others_until_) others_until_ = std::chrono::steady_clock::now() + kOthersPatience;
      }
      return;
  }
}

void Docker::follow(const Effects& effects, Sink& sink) {
  if (published_ != nullptr)
    for (const ServerChange& server : effects.servers)
      sink.server_state(name(), server.url, server.state, server.reasons);
  if (!effects.changed) return;
  throttle_.changed(std::chrono::steady_clock::now());
  probes_changed_ = true;
}

void Docker::publish(Sink& sink) {
  auto composed = std::make_shared<const model::Dynamic>(catalog_.compose());
  if (published_ != nullptr && *composed == *published_) return;
  published_ = composed;
  sink.publish(name(), std::move(composed));
}

void Docker::say(const Report& report) {
  const bool up = report.kind == Report::Kind::Connected;
  const std::string& shown = endpoints_.at(report.host).shown;
  const std::string detail =
      up ? fmt::format("{}, API {}", shown, report.text.empty() ? "without a version" : report.text)
         : fmt::format("{}: {}", shown, report.text);
  if (up)
    spdlog::info("{}: connected to {}", title(report.host), detail);
  else
    spdlog::error("{}: {}; routes stay as they are, trying again", title(report.host), detail);
  const std::lock_guard lock(mutex_);
  statuses_[report.host] = {up, detail, std::chrono::system_clock::now()};
}

}  // namespace fairlead::providers::docker
