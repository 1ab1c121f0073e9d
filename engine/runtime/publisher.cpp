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
constexpr auto kPatience = std::chrono::seconds(2);          // with name servers, while others are served
constexpr auto kPatienceAtStart = std::chrono::minutes(10);  // they give up long before
constexpr auto kExchangeAgain = std::chrono::minutes(1);     // each try turns clients away for a moment

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

std::vector<std::string> Publisher::apply_entry_points(const model::Static& install, Occasion occasion) {
  const TimePoint now = std::chrono::steady_clock::now();
  const bool may_exchange = occasion != Occasion::Again || now >= exchange_again_;
  if (may_exchange) exchange_again_ = now + kExchangeAgain;
  asks_anew_ = occasion != Occasion::Again;
  patience_ = occasion == Occasion::Start ? now + kPatienceAtStart : asks_anew_ ? now + kPatience : now;
  std::vector<std::string> problems;
  std::vector<std::string> gone;
  for (const auto& [name, listening] : listening_)
    if (!install.entry_points.contains(name)) gone.push_back(name);
  // One that only has another name by now hands its socket on: who waits in it is not turned away.
  std::map<std::string, Fd> handed_on;
  for (const std::string& name : gone) {
    if (const auto heir = heir_of(name, install); !heir.empty())
      handed_on[heir] = std::move(listening_[name].socket);
    close_listener(name);
  }
  // All ports before the first connection is taken: who hears the ping answer may knock anywhere.
  std::vector<Opened> opened;
  for (const auto& [name, options] : install.entry_points) {
    const auto address = model::parse_listen_address(options.address);
    if (!address || is_served(name, options)) continue;  // an address that cannot be read was refused before
    const auto socket = handed_on.find(name);
    Result<Opened> one = socket == handed_on.end() ? open(name, options, *address)
                                                   : listening_on(std::move(socket->second), name, options);
    if (!one && one.error().retryable && may_exchange)
      one = open_in_exchange(install, name, std::move(one.error()));
    if (one) {
      close_listener(name);
      opened.push_back(std::move(*one));
      continue;
    }
    const auto former = listening_.find(name);
    problems.push_back(fmt::format(
        "entry point {}: {}{}", name, one.error().detail,
        former == listening_.end() ? ""
                                   : fmt::format("; it goes on listening on {}", former->second.address)));
  }
  for (Opened& one : opened) serve(std::move(one));
  if (problems.empty()) names_.forget();
  say_unclaimed();
  return problems;
}

// The new entry point that listens where the one called `name` did; empty when there is none.
std::string Publisher::heir_of(const std::string& name, const model::Static& install) const {
  const Listening& left = listening_.at(name);
  if (!left.socket) return {};
  for (const auto& [other, options] : install.entry_points)
    if (!listening_.contains(other) && options.address == left.address &&
        options.reuse_port == left.reuse_port)
      return other;
  return {};
}

bool Publisher::is_served(const std::string& name, const model::EntryPoint& options) const {
  const auto found = listening_.find(name);
  return found != listening_.end() && found->second.reuse_port == options.reuse_port &&
         model::parse_listen_address(found->second.address) == model::parse_listen_address(options.address);
}

// What is to move anyway may be in the way of another one: two that change places, or one that goes from one
// address to all. Where the port is free of them and yet not to be had, they take it back.
Result<Publisher::Opened> Publisher::open_in_exchange(const model::Static& install, const std::string& name,
                                                      Error refused) {
  const model::EntryPoint& options = install.entry_points.at(name);
  const model::ListenAddress wanted = *model::parse_listen_address(options.address);
  std::map<std::string, model::EntryPoint> in_the_way;
  for (const auto& [other, listening] : listening_) {
    const bool is_udp = !listening.socket;
    if (listening.port != wanted.port || is_udp != wanted.udp ||
        is_served(other, install.entry_points.at(other)))
      continue;
    model::EntryPoint& former = in_the_way[other];
    former.address = listening.address;
    former.reuse_port = listening.reuse_port;
  }
  if (in_the_way.empty()) return std::unexpected(std::move(refused));
  for (const auto& [other, former] : in_the_way) close_listener(other);
  Result<Opened> one = open(name, options, wanted);
  if (one) return one;
  for (const auto& [other, former] : in_the_way)
    if (auto back = open(other, former, *model::parse_listen_address(former.address)))
      serve(std::move(*back));
  return one;
}

Result<Publisher::Opened> Publisher::open(const std::string& name, const model::EntryPoint& options,
                                          const model::ListenAddress& address) {
  return address.udp ? open_udp(name, options, address) : open_tcp(name, options, address);
}

Result<Publisher::Opened> Publisher::open_tcp(const std::string& name, const model::EntryPoint& options,
                                              const model::ListenAddress& address) {
  Result<Fd> socket = activation_.find(name, net::Activation::Kind::Stream);
  if (!socket) return std::unexpected(std::move(socket.error()));
  if (!*socket) {
    const net::ListenAddress where{address.host, address.port};
    const auto found = names_.find(where, patience_, asks_anew_);
    if (!found) return std::unexpected(found.error());
    socket = net::open_listener(where, *found, options.reuse_port);
    if (!socket) return std::unexpected(std::move(socket.error()));
  }
  return listening_on(std::move(*socket), name, options);
}

Publisher::Opened Publisher::listening_on(Fd socket, const std::string& name,
                                          const model::EntryPoint& options) {
  const std::uint16_t port = net::bound_port(socket.get());
  return Opened{name, {options.address, options.reuse_port, port, std::move(socket)}, {}};
}

Result<Publisher::Opened> Publisher::open_udp(const std::string& name, const model::EntryPoint& options,
                                              const model::ListenAddress& address) {
  Result<std::vector<Fd>> sockets = datagram_sockets(name, options, address);
  if (!sockets) return std::unexpected(std::move(sockets.error()));
  const std::uint16_t port = net::bound_port(sockets->front().get());
  return Opened{name, {options.address, options.reuse_port, port, Fd()}, std::move(*sockets)};
}

Result<std::vector<Fd>> Publisher::datagram_sockets(const std::string& name, const model::EntryPoint& options,
                                                    const model::ListenAddress& address) {
  Result<Fd> passed = activation_.find(name, net::Activation::Kind::Datagram);
  if (!passed) return std::unexpected(std::move(passed.error()));
  if (*passed) {
    std::vector<Fd> one;
    one.push_back(std::move(*passed));
    return one;
  }
  const auto count = static_cast<int>(workers_.size());
  const net::ListenAddress where{address.host, address.port};
  const auto found = names_.find(where, patience_, asks_anew_);
  if (!found) return std::unexpected(found.error());
  auto sockets = net::open_udp(where, *found, count, options.reuse_port);
  if (sockets) return sockets;
  // An entry point that moved may still drain on what this one asks for.
  on_all([](Worker& worker) { worker.close_draining_udp(); });
  return net::open_udp(where, *found, count, options.reuse_port);
}

void Publisher::serve(Opened&& opened) {
  const std::string& name = opened.name;
  const udp::Limits limits = udp_limits(workers_.size());
  on_all([&](Worker& worker) {
    const auto index = static_cast<std::size_t>(worker.index());
    if (opened.listening.socket)
      worker.open_entry_point(name, opened.listening.socket.get());
    else if (index < opened.datagrams.size())
      worker.open_udp_entry_point(name, std::move(opened.datagrams[index]), limits,
                                  udp_counts_.of(name, worker.index()));
  });
  spdlog::info("entry point {} listens on {} (port {})", name, opened.listening.address,
               opened.listening.port);
  listening_[name] = std::move(opened.listening);
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
  if (!listening_.contains(name)) return;
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
