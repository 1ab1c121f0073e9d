#include "engine/runtime/control.h"

#include "engine/base/memory_budget.h"
#include "engine/model/complaints.h"
#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/validate.h"
#include "engine/runtime/phase.h"
#include "engine/runtime/service_compiler.h"

#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace fairlead::runtime {
namespace {

constexpr auto kLookAtFiles = std::chrono::seconds(1);
constexpr auto kFirstConfigs = std::chrono::seconds(1);  // before entry points open without all providers
// What a crowd of slow clients held leaves holes everywhere: so much of it goes back to the system, but not
// so often that ordinary ups and downs would fetch it again and again.
constexpr std::size_t kGivenBack = 32 << 20;
// Workers that allocate meanwhile stand still, 0.1 s for 300 MiB: so it waits until they hardly work, and
// more than this stays, to be used again.
constexpr std::size_t kMostGivenBack = 512 << 20;
constexpr int kHardly = 5;  // less than this part of one processor
constexpr auto kGiveBackAgain = std::chrono::seconds(30);

// What is wrong is said once: when an element first has a reason that it had not before.
void log_new_complaints(const model::Dynamic& now, const model::Dynamic& before) {
  for (const model::Complaint& complaint : model::new_complaints(now, before))
    spdlog::log(complaint.reason->breaks ? spdlog::level::err : spdlog::level::warn, "{}", complaint.text());
}

}  // namespace

Control::Control(int workers, exchange::RecordSink& sink, InternalServices internal)
    : compiler_(std::move(internal)), publisher_(workers_) {
  for (int i = 0; i < workers; ++i)
    workers_.push_back(std::make_unique<Worker>(
        i, workers, sink, open_connections_,
        [this](std::shared_ptr<const Snapshot> old) { messages_.push(Drop{std::move(old)}); }));
  side_worker_ =
      std::make_unique<Worker>(workers, 1, sink, open_connections_, [](std::shared_ptr<const Snapshot>) {});
  checks_ = std::make_unique<service::HealthChecks>(
      side_worker_->loop(), side_worker_->pools(),
      [this](const service::HealthPlan& plan) { messages_.push(Health{plan.service}); });
  tcp_checks_ = std::make_unique<tcp::HealthChecks>(
      side_worker_->loop(),
      [this](const tcp::HealthPlan& plan) { messages_.push(Health{plan.service, true}); });
}

Control::~Control() { stop(); }

void Control::start(std::shared_ptr<const model::Static> install, std::set<std::string> expected) {
  install_ = std::move(install);
  for (auto& worker : workers_) worker->start();
  side_worker_->start();
  thread_ = std::thread([this, expected = std::move(expected)]() mutable {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    ::pthread_setname_np(::pthread_self(), "control");
    run(std::move(expected));
  });
}

void Control::publish(std::string provider, std::shared_ptr<const model::Dynamic> config) {
  messages_.push(Config{std::move(provider), std::move(config)});
}

void Control::server_state(std::string provider, std::string url, model::ServerState state,
                           std::vector<model::Reason> reasons) {
  messages_.push(State{std::move(provider), std::move(url), {.state = state, .reasons = std::move(reasons)}});
}

std::vector<std::string> Control::change_install(std::shared_ptr<const model::Static> install) {
  std::promise<std::vector<std::string>> done;
  messages_.push(Install{std::move(install), &done});
  return done.get_future().get();
}

bool Control::drain() {
  std::promise<bool> done;
  messages_.push(Drain{&done});
  return done.get_future().get();
}

void Control::stop() {
  messages_.close();
  if (thread_.joinable()) thread_.join();
  side_worker_->stop();
  for (auto& worker : workers_) worker->stop();
  for (auto& worker : workers_) worker->join();
  side_worker_->join();
}

// Since the last look.
bool Control::hardly_works(TimePoint now) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto time = [](const timeval& part) {
    return std::chrono::seconds(part.tv_sec) + std::chrono::microseconds(part.tv_usec);
  };
  const Duration worked = time(usage.ru_utime) + time(usage.ru_stime);
  const Duration since = now - std::exchange(looked_at_, now);
  return (worked - std::exchange(worked_, worked)) * kHardly < since;
}

void Control::give_back_memory(TimePoint now) {
  const bool idle = hardly_works(now);
  const std::size_t used = MemoryBudget::instance().used();
  most_used_ = std::max(most_used_, used);
  const std::size_t left = most_used_ - used;
  if (left < kGivenBack || used > most_used_ / 4 || now < give_back_at_ || !idle) return;
  most_used_ = used;
  give_back_at_ = now + kGiveBackAgain;
  if (left <= kMostGivenBack) ::malloc_trim(0);
}

std::shared_ptr<const Snapshot> Control::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void Control::run(std::set<std::string> expected) {
  rebuild();
  TimePoint look_at = std::chrono::steady_clock::now() + kLookAtFiles;
  const TimePoint open_at = std::chrono::steady_clock::now() + kFirstConfigs;
  for (;;) {
    if (!open_ && !draining_ && (expected.empty() || std::chrono::steady_clock::now() >= open_at))
      open_entry_points();
    std::optional<Message> message =
        messages_.pop_until(open_ || draining_ ? look_at : std::min(open_at, look_at));
    if (const TimePoint now = std::chrono::steady_clock::now(); now >= look_at) {
      look_at = now + kLookAtFiles;
      give_back_memory(now);
      if (!draining_ && compiler_.files_changed()) rebuild();
      if (!closed_.empty() && !draining_) open_closed_again();
    }
    if (!message) {
      if (messages_.closed()) return;
      continue;
    }
    bool changed = false;
    // What has piled up is taken together: one compilation for all of it.
    while (message) {
      if (const auto* config = std::get_if<Config>(&*message)) expected.erase(config->provider);
      handle(std::move(*message), changed);
      message = messages_.pop_until(TimePoint{});
    }
    apply_states();
    if (changed && !draining_) rebuild();
  }
}

void Control::handle(Message message, bool& rebuild_wanted) {
  if (auto* config = std::get_if<Config>(&message)) {
    told_.erase(config->provider);
    if (config->config)
      configs_[config->provider] = std::move(config->config);
    else
      configs_.erase(config->provider);
    rebuild_wanted = true;
  } else if (auto* state = std::get_if<State>(&message)) {
    states_[state->url] = phase_of(state->standing.state, state->standing.reasons);
    told_[state->provider][state->url] = std::move(state->standing);
  } else if (auto* health = std::get_if<Health>(&message)) {
    const std::shared_ptr<const Snapshot> snapshot = current();
    const auto& sets = health->tcp ? snapshot->tcp_sets : snapshot->sets;
    const auto set = sets.find(health->service);
    if (set == sets.end()) return;
    note_usable(*set->second);
    publisher_.states_changed(
        {health->tcp ? compiler_.tcp_set_id(health->service) : compiler_.set_id(health->service)});
  } else if (auto* install = std::get_if<Install>(&message)) {
    install_ = std::move(install->install);
    rebuild();
    rebuild_wanted = false;
    std::vector<std::string> problems;
    if (open_) problems = publisher_.apply_entry_points(*install_, Occasion::Change);
    closed_ = problems;
    for (std::string& problem : problems) problem += "; it is tried again until it can be opened";
    install->done->set_value(std::move(problems));
  } else if (auto* drain = std::get_if<Drain>(&message)) {
    finish_drain(*drain->done);
  }
}

// All at once: each looks through all servers.
void Control::apply_states() {
  if (states_.empty()) return;
  const auto sets = compiler_.set_phases(*current(), std::exchange(states_, {}));
  if (!sets.empty()) publisher_.states_changed(sets);
}

void Control::rebuild() {
  std::vector<model::ProviderConfig> parts;
  parts.push_back({std::string(model::kInternalProvider),
                   std::make_shared<const model::Dynamic>(model::internal_config(*install_))});
  for (const auto& [provider, config] : configs_) parts.push_back({provider, config});
  auto merged = std::make_shared<model::Dynamic>(model::merge(parts));
  // Whatever this compilation is for, it must not set a server back to what it was before.
  for (const auto& [provider, told] : told_) model::bring_up_to_date(*merged, provider, told);
  model::validate(*merged, *install_);
  const std::shared_ptr<const Snapshot> previous = current();
  std::shared_ptr<const Snapshot> snapshot = compiler_.compile(install_, std::move(merged), previous.get());
  static const model::Dynamic kNothing;
  log_new_complaints(*snapshot->dynamic, previous ? *previous->dynamic : kNothing);
  publisher_.publish(snapshot);
  side_worker_->post([this, plans = snapshot->health_plans] { checks_->adopt(plans); });
  side_worker_->post([this, plans = snapshot->tcp_health_plans] { tcp_checks_->adopt(plans); });
  {
    const std::lock_guard lock(mutex_);
    current_ = snapshot;
  }
  reloads_.fetch_add(1, std::memory_order_relaxed);
  if (applied_) applied_(snapshot);
  spdlog::debug("configuration {} is served: {} routers, {} services", snapshot->version,
                snapshot->dynamic->http.routers.size(), snapshot->dynamic->http.services.size());
}

void Control::open_entry_points() {
  open_ = true;
  for (const std::string& problem : publisher_.apply_entry_points(*install_, Occasion::Start)) {
    spdlog::error("{}", problem);
    start_failed_.store(true);
  }
  if (!start_failed_) opened_.store(true);
}

// A program that had the port ends without telling anybody. What keeps one closed now may be something else.
void Control::open_closed_again() {
  std::vector<std::string> problems = publisher_.apply_entry_points(*install_, Occasion::Again);
  for (const std::string& problem : problems)
    if (std::ranges::find(closed_, problem) == closed_.end()) spdlog::error("{}", problem);
  closed_ = std::move(problems);
}

bool Control::all_turn() {
  if (to_turn_.load() > 0) return false;
  to_turn_.store(static_cast<int>(workers_.size()));
  for (auto& worker : workers_) worker->post([this] { to_turn_.fetch_sub(1); });
  return true;
}

std::vector<std::pair<std::string_view, std::uint64_t>> Control::http2_floods() const {
  std::vector<std::pair<std::string_view, std::uint64_t>> out;
  for (std::size_t kind = 0; kind < codec::h2::kFloods; ++kind) {
    std::uint64_t count = 0;
    for (const auto& worker : workers_)
      count += worker->gauges().floods[kind].load(std::memory_order_relaxed);
    out.emplace_back(text(static_cast<codec::h2::Flood>(kind)), count);
  }
  return out;
}

void Control::finish_drain(std::promise<bool>& done) {
  draining_ = true;
  for (const auto& [name, entry_point] : install_->entry_points)
    if (const Duration accept = entry_point.transport.life_cycle.request_accept_grace_timeout;
        accept > Duration{})
      spdlog::info("entry point {}: still accepting for requestAcceptGraceTimeout", name);
  done.set_value(publisher_.drain(*install_));
}

}  // namespace fairlead::runtime
