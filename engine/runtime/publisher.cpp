#include "engine/runtime/publisher.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <latch>
#include <thread>

namespace fairlead::runtime {
namespace {

constexpr std::size_t kSetsPerMessage = 256;  // so that no worker stalls above a millisecond
constexpr auto kDrainPoll = std::chrono::milliseconds(20);

}  // namespace

void Publisher::on_all(const std::function<void(Worker&)>& action) {
  std::latch done(std::ssize(workers_));
  for (auto& worker : workers_)
    worker->post([&w = *worker, &done, &action] {
      action(w);
      done.count_down();
    });
  done.wait();
}

void Publisher::publish(const std::shared_ptr<const Snapshot>& snapshot) {
  // Servers first: a route of the new snapshot must find its set. Portions keep every tick short.
  const auto sets = std::span(snapshot->changed_sets);
  for (std::size_t at = 0; at < sets.size(); at += kSetsPerMessage)
    for (auto& worker : workers_)
      worker->post(
          [&w = *worker, snapshot, portion = sets.subspan(at, std::min(kSetsPerMessage, sets.size() - at))] {
            w.pools().adopt(portion);
          });
  on_all([&](Worker& worker) { worker.adopt(snapshot); });
}

void Publisher::states_changed(const std::vector<upstream::SetId>& sets) {
  for (auto& worker : workers_) worker->post([&w = *worker, sets] { w.pools().states_changed(sets); });
}

std::vector<std::string> Publisher::apply_entry_points(const model::Static& install) {
  std::vector<std::string> problems;
  std::vector<std::string> leaving;
  for (const auto& [name, listening] : listening_) {
    const auto wanted = install.entry_points.find(name);
    if (wanted == install.entry_points.end() || wanted->second.address != listening.address ||
        wanted->second.reuse_port != listening.reuse_port)
      leaving.push_back(name);
  }
  for (const std::string& name : leaving) close_listener(name);
  for (const auto& [name, options] : install.entry_points) {
    if (listening_.contains(name)) continue;
    const auto address = model::parse_listen_address(options.address);
    if (!address) continue;
    if (address->udp) {
      spdlog::warn("entry point {}: {} is not opened, UDP has no effect in this version", name,
                   options.address);
      continue;
    }
    Result<Fd> socket = net::open_listener({address->host, address->port}, options.reuse_port);
    if (!socket) {
      problems.push_back(fmt::format("entry point {}: {}", name, socket.error().detail));
      continue;
    }
    Listening& listening = listening_[name];
    listening = {options.address, options.reuse_port, std::move(*socket)};
    on_all([&](Worker& worker) { worker.open_entry_point(name, listening.socket.get()); });
    spdlog::info("entry point {} listens on {} (port {})", name, options.address, port(name));
  }
  return problems;
}

std::uint16_t Publisher::port(const std::string& name) const {
  const auto found = listening_.find(name);
  return found == listening_.end() ? 0 : net::bound_port(found->second.socket.get());
}

void Publisher::close_listener(const std::string& name) {
  on_all([&](Worker& worker) { worker.drain_entry_point(name); });
  listening_.erase(name);
}

void Publisher::drain_all() {
  while (!listening_.empty()) close_listener(listening_.begin()->first);
}

bool Publisher::finish(Duration grace) {
  const TimePoint until = std::chrono::steady_clock::now() + grace;
  for (;;) {
    std::atomic<bool> drained = true;
    on_all([&](Worker& worker) {
      if (!worker.is_drained({})) drained.store(false, std::memory_order_relaxed);
    });
    if (drained || std::chrono::steady_clock::now() >= until) {
      on_all([](Worker& worker) { worker.close_entry_point({}); });
      return drained;
    }
    std::this_thread::sleep_for(kDrainPoll);
  }
}

}  // namespace fairlead::runtime
