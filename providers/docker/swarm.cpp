#include "providers/docker/swarm.h"

#include "providers/docker/surroundings.h"
#include "providers/throttle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <random>
#include <set>

namespace fairlead::providers::docker {
namespace {

// {"desired-state":{"running":true}} and {"scope":{"swarm":true}}, percent-encoded
constexpr const char* kTasks = "/tasks?filters=%7B%22desired-state%22%3A%7B%22running%22%3Atrue%7D%7D";
constexpr const char* kNetworks = "/networks?filters=%7B%22scope%22%3A%7B%22swarm%22%3Atrue%7D%7D";

constexpr std::chrono::seconds kOwnPatience(5);  // without an answer, what was known holds

Place place_of(const Endpoint& endpoint, const model::SwarmProvider& options) {
  Place out = look_around(endpoint);
  out.network = options.network;
  out.use_bind_port_ip = options.use_bind_port_ip;
  out.remote = false;  // task addresses hold on every node of the overlay
  return out;
}

}  // namespace

Configured<> Swarm::check(const model::SwarmProvider& options, const Environment& environment) {
  if (auto settings = make_settings(options, {}, {}); !settings) return std::unexpected(settings.error());
  if (auto endpoint =
          resolve_endpoint(options.endpoint, options.tls, options.username, options.password, environment);
      !endpoint)
    return misconfigured("providers.swarm.endpoint", endpoint.error());
  return {};
}

Configured<std::unique_ptr<Swarm>> Swarm::make(const model::SwarmProvider& options,
                                               const model::MiddlewareTypes& types,
                                               const model::ShortLabelDefaults& short_labels,
                                               const Environment& environment) {
  auto settings = make_settings(options, types, short_labels);
  if (!settings) return std::unexpected(settings.error());
  auto endpoint =
      resolve_endpoint(options.endpoint, options.tls, options.username, options.password, environment);
  if (!endpoint) return misconfigured("providers.swarm.endpoint", endpoint.error());
  return std::unique_ptr<Swarm>(new Swarm(options, std::move(*settings), std::move(*endpoint)));
}

Swarm::Swarm(const model::SwarmProvider& options, Settings settings, Endpoint endpoint)
    : options_(options),
      endpoint_(std::move(endpoint)),
      place_(place_of(endpoint_, options)),
      catalog_(std::move(settings), {{"", place_}}),
      client_(endpoint_, std::chrono::duration_cast<std::chrono::milliseconds>(options.http_client_timeout)) {
  status_ = {false, "connecting to " + endpoint_.shown, std::chrono::system_clock::now()};
}

Swarm::~Swarm() { stop(); }

void Swarm::start(Sink& sink) {
  thread_ = std::thread([this, &sink] { run(sink); });
}

void Swarm::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  client_.stop();
  if (thread_.joinable()) thread_.join();
}

void Swarm::refresh() {
  {
    const std::lock_guard lock(mutex_);
    refresh_ = true;
  }
  wake_.notify_all();
}

Status Swarm::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool Swarm::sleep(Duration duration) {
  std::unique_lock lock(mutex_);
  if (duration == Duration::max())
    wake_.wait(lock, [this] { return stopping_ || refresh_; });
  else
    wake_.wait_for(lock, duration, [this] { return stopping_ || refresh_; });
  refresh_ = false;
  return !stopping_;
}

void Swarm::run(Sink& sink) {
  BackOff back_off;
  std::minstd_rand dice(std::random_device{}());
  std::string said;
  const Duration every = options_.refresh_seconds > Duration::zero() ? options_.refresh_seconds
                                                                     : Duration(std::chrono::seconds(15));
  for (bool going = true; going;) {
    const std::string trouble = poll(sink);
    if (client_.stopped()) return;
    if (!trouble.empty() && trouble != said)
      spdlog::error("swarm: {}: {}; routes stay as they are, trying again", endpoint_.shown, trouble);
    said = trouble;
    {
      const std::lock_guard lock(mutex_);
      const bool turned = status_.connected != trouble.empty();
      if (turned) status_.since = std::chrono::system_clock::now();
      status_.connected = trouble.empty();
      status_.detail = trouble.empty() ? fmt::format("{}, API {}", endpoint_.shown, client_.version())
                                       : fmt::format("{}: {}", endpoint_.shown, trouble);
      if (turned && trouble.empty()) spdlog::info("swarm: connected to {}", status_.detail);
    }
    if (trouble.empty()) back_off.reset();
    const double share = std::uniform_real_distribution<>(0, 1)(dice);
    if (!trouble.empty())
      going = sleep(back_off.next(std::chrono::milliseconds(0), share));
    else
      going = sleep(options_.watch ? every : Duration::max());
  }
}

// Answers what went wrong, or nothing.
std::string Swarm::poll(Sink& sink) {
  if (const auto agreed = client_.negotiate(); !agreed) return agreed.error();
  SwarmAnswers answers;
  const TimePoint asked = std::chrono::steady_clock::now();
  for (const auto& [into, path] :
       {std::pair(&answers.services, "/services"), std::pair(&answers.networks, kNetworks),
        std::pair(&answers.tasks, kTasks)}) {
    auto body = client_.get(path);
    if (!body) return body.error();
    *into = std::move(*body);
  }
  // Only tasks in host mode need their node's address.
  if (answers.tasks.find("\"host\"") != std::string::npos) answers.nodes = client_.get("/nodes").value_or("");
  auto tasks = parse_swarm(answers);
  if (!tasks) return tasks.error();
  if (!place_.own_id.empty())
    if (auto own = client_.inspect(place_.own_id, kOwnPatience)) own_ = std::move(*own);
  if (own_) {
    own_->labels = {{"traefik.enable", "false"}};
    tasks->containers.push_back(*own_);
  }
  const std::vector<ServerChange> servers = apply(std::move(*tasks), asked);
  if (published_ != nullptr)
    for (const ServerChange& server : servers)
      sink.server_state(name(), server.url, server.state, server.reasons);
  auto composed = std::make_shared<const model::Dynamic>(catalog_.compose());
  if (published_ != nullptr && *composed == *published_) return {};
  published_ = composed;
  sink.publish(name(), std::move(composed));
  return {};
}

std::vector<ServerChange> Swarm::apply(SwarmTasks tasks, TimePoint asked) {
  const std::string complaints = fmt::format("{}", fmt::join(tasks.complaints, "; "));
  if (complaints != complaints_ && !complaints.empty()) spdlog::warn("swarm: {}", complaints);
  complaints_ = complaints;
  const Moment now{std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
  std::vector<ServerChange> out;
  const auto note = [&out](const Effects& effects) {
    out.insert(out.end(), effects.servers.begin(), effects.servers.end());
  };
  std::set<std::string> present;
  for (Container& container : tasks.containers) {
    present.insert(container.id);
    note(catalog_.seen(std::move(container), true, now, asked));  // a running task is a ready one
  }
  for (const std::string& id : catalog_.ids(""))
    if (!present.contains(id)) note(catalog_.removed("", id, now));
  note(catalog_.tick(now));
  return out;
}

}  // namespace fairlead::providers::docker
