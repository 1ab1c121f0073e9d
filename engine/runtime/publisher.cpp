#include "engine/runtime/publisher.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <latch>
#include <thread>

namespace fairlead::runtime {
namespace {

constexpr std::size_t kSetsPerMessage = 256;  // so that no worker stalls above a millisecond
constexpr auto kDrainPoll = std::chrono::milliseconds(20);

// Every UDP session takes a descriptor: at most a quarter of them may go to one entry point, and a quarter of
// those to one address. Clients are spread over the workers' sockets by a hash.
udp::Limits udp_limits(std::size_t workers) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  udp::Limits limits;
  limits.sessions =
      std::max<std::size_t>(std::clamp<std::size_t>(files.rlim_cur / 4, 64, 65536) / workers, 16);
  limits.per_source = std::max<std::size_t>(limits.sessions / 4, 16);
  return limits;
}

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
    if (const Result<> opened = open(name, options); !opened)
      problems.push_back(fmt::format("entry point {}: {}", name, opened.error().detail));
  }
  say_unclaimed();
  return problems;
}

Result<> Publisher::open(const std::string& name, const model::EntryPoint& options) {
  const auto address = model::parse_listen_address(options.address);
  if (!address) return {};  // refused when it was read
  Listening listening{options.address, options.reuse_port, 0, Fd()};
  if (address->udp) {
    Result<std::vector<Fd>> sockets = open_udp(name, options, *address);
    if (!sockets) return std::unexpected(std::move(sockets.error()));
    listening.port = net::bound_port(sockets->front().get());
    const udp::Limits limits = udp_limits(workers_.size());
    on_all([&](Worker& worker) {
      const auto index = static_cast<std::size_t>(worker.index());
      if (index < sockets->size())
        worker.open_udp_entry_point(name, std::move((*sockets)[index]), limits,
                                    udp_counts_.of(name, worker.index()));
    });
  } else {
    Result<Fd> socket = open_tcp(name, options, *address);
    if (!socket) return std::unexpected(std::move(socket.error()));
    listening.socket = std::move(*socket);
    listening.port = net::bound_port(listening.socket.get());
    on_all([&](Worker& worker) { worker.open_entry_point(name, listening.socket.get()); });
  }
  spdlog::info("entry point {} listens on {} (port {})", name, options.address, listening.port);
  listening_[name] = std::move(listening);
  return {};
}

Result<Fd> Publisher::open_tcp(const std::string& name, const model::EntryPoint& options,
                               const model::ListenAddress& address) {
  Result<Fd> passed = activation_.find(name, net::Activation::Kind::Stream);
  if (!passed || *passed) return passed;
  return net::open_listener({address.host, address.port}, options.reuse_port);
}

Result<std::vector<Fd>> Publisher::open_udp(const std::string& name, const model::EntryPoint& options,
                                            const model::ListenAddress& address) {
  Result<Fd> passed = activation_.find(name, net::Activation::Kind::Datagram);
  if (!passed) return std::unexpected(std::move(passed.error()));
  if (*passed) {
    std::vector<Fd> one;
    one.push_back(std::move(*passed));
    return one;
  }
  const auto count = static_cast<int>(workers_.size());
  auto sockets = net::open_udp({address.host, address.port}, count, options.reuse_port);
  if (sockets) return sockets;
  // An entry point that moved may still drain on what this one asks for.
  on_all([](Worker& worker) { worker.close_draining_udp(); });
  return net::open_udp({address.host, address.port}, count, options.reuse_port);
}

// A misspelt FileDescriptorName= would else look like a port that nobody serves.
void Publisher::say_unclaimed() {
  if (std::exchange(said_unclaimed_, true)) return;
  for (const std::string& name : activation_.unclaimed())
    spdlog::warn(
        "systemd passed a socket named {}, and no entry point has that name: see FileDescriptorName= "
        "of the .socket unit",
        name);
}

std::uint16_t Publisher::port(const std::string& name) const {
  const auto found = listening_.find(name);
  return found == listening_.end() ? 0 : found->second.port;
}

void Publisher::close_listener(const std::string& name) {
  on_all([&](Worker& worker) { worker.drain_entry_point(name); });
  listening_.erase(name);
}

bool Publisher::drain(const model::Static& install) {
  struct Times {
    TimePoint drain;
    TimePoint close;
  };
  const TimePoint begun = std::chrono::steady_clock::now();
  std::map<std::string, Times> left;
  TimePoint last = begun;
  for (const auto& [name, listening] : listening_) {
    const auto found = install.entry_points.find(name);
    const model::LifeCycle times =
        found == install.entry_points.end() ? model::LifeCycle() : found->second.transport.life_cycle;
    const TimePoint drain = begun + times.request_accept_grace_timeout;
    left[name] = {drain, drain + times.grace_time_out};
    last = std::max(last, left[name].close);
  }
  bool clean = true;
  while (!left.empty()) {
    std::erase_if(left, [&](const auto& entry) {
      const auto& [name, times] = entry;
      const TimePoint now = std::chrono::steady_clock::now();
      if (now < times.drain) return false;
      if (listening_.contains(name)) close_listener(name);
      if (all_drained(name)) return true;
      if (now < times.close) return false;
      on_all([&](Worker& worker) { worker.close_entry_point(name); });
      clean = false;
      return true;
    });
    if (!left.empty()) std::this_thread::sleep_for(kDrainPoll);
  }
  return finish(last) && clean;
}

bool Publisher::all_drained(const std::string& name) {
  std::atomic<bool> drained = true;
  on_all([&](Worker& worker) {
    if (!worker.is_drained(name)) drained.store(false, std::memory_order_relaxed);
  });
  return drained;
}

// What is open besides entry points that listen: mirrors on their way, entry points that were left earlier.
bool Publisher::finish(TimePoint until) {
  for (;;) {
    const bool drained = all_drained({});
    if (drained || std::chrono::steady_clock::now() >= until) {
      on_all([](Worker& worker) { worker.close_entry_point({}); });
      return drained;
    }
    std::this_thread::sleep_for(kDrainPoll);
  }
}

}  // namespace fairlead::runtime
