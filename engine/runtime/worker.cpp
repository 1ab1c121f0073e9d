#include "engine/runtime/worker.h"

#include "engine/base/memory_budget.h"
#include "engine/net/tcp_transport.h"
#include "engine/runtime/opening.h"
#include "engine/upstream/redis.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace fairlead::runtime {

void PinnedSnapshot::unpin() {
  if (--count_ == 0 && retired_) {
    worker_.give_back_(std::move(snapshot_));
    delete this;
  }
}

void PinnedSnapshot::retire() {
  retired_ = true;
  ++count_;
  unpin();
}

WorkerEntryPoint::WorkerEntryPoint(Worker& worker, std::string name, int listener)
    : worker_(worker), name_(std::move(name)), open_(worker.open_connections().of(name_)) {
  listener_ = std::make_unique<net::Listener>(
      worker.loop(), listener,
      [this](Fd socket, const net::Address& peer) { accept(std::move(socket), peer); });
}

WorkerEntryPoint::~WorkerEntryPoint() {
  listener_.reset();
  close_all();
}

void WorkerEntryPoint::accept(Fd socket, const net::Address& peer) {
  if (MemoryBudget::instance().exhausted()) {
    worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  auto transport =
      net::TcpTransport::adopt(worker_.loop(), std::move(socket), peer, net::TcpTransport::Side::Accepted);
  if (!transport) {
    spdlog::error("entry point {}: cannot watch the connection of {}: {}", name_, peer.text(),
                  std::strerror(errno));
    return;
  }
  // The first bytes tell TLS from plain: without a TLS router a handshake still gets the default certificate
  // and 404.
  add(std::make_unique<Opening>(worker_, *this, std::move(transport)));
}

void WorkerEntryPoint::opened() {
  ++count_;
  worker_.gauges().connections.fetch_add(1, std::memory_order_relaxed);
  open_->fetch_add(1, std::memory_order_relaxed);
}

void WorkerEntryPoint::ended() {
  --count_;
  worker_.gauges().connections.fetch_sub(1, std::memory_order_relaxed);
  open_->fetch_sub(1, std::memory_order_relaxed);
}

void WorkerEntryPoint::add(std::unique_ptr<Connection> connection) {
  Connection& added = *connection.release();
  added.next = first_;
  if (first_) first_->previous = &added;
  first_ = &added;
  opened();
  if (draining_) added.drain();
  added.start();
}

void WorkerEntryPoint::remove(Connection& connection) {
  (connection.previous ? connection.previous->next : first_) = connection.next;
  if (connection.next) connection.next->previous = connection.previous;
  connection.next = connection.previous = nullptr;
  ended();
  worker_.loop().destroy_later(std::unique_ptr<event::Destroyable>(&connection));
}

void WorkerEntryPoint::stop_accepting() {
  if (listener_) listener_->empty_queue();
  listener_.reset();
}

void WorkerEntryPoint::keep_last(const std::shared_ptr<const Snapshot>& snapshot) { last_ = snapshot; }

const CompiledEntryPoint* WorkerEntryPoint::compiled() const {
  const Snapshot& now = **worker_.snapshot();
  if (const auto found = now.entry_points.find(name_); found != now.entry_points.end()) return &found->second;
  return last_ ? &last_->entry_points.find(name_)->second : nullptr;
}

void WorkerEntryPoint::drain() {
  draining_ = true;
  for (Connection* at = first_; at;) {
    Connection* following = at->next;
    at->drain();
    at = following;
  }
}

void WorkerEntryPoint::close_all() {
  while (first_) first_->close();
}

Worker::Worker(int index, int workers, exchange::RecordSink& sink, OpenConnections& open_connections,
               std::function<void(std::shared_ptr<const Snapshot>)> give_back)
    : index_(index),
      pools_(loop_, workers),
      jobs_(loop_, pools_, background_, sink),
      open_connections_(open_connections),
      give_back_(std::move(give_back)) {}

Worker::~Worker() { join(); }

void Worker::start() {
  thread_ = std::thread([this] {
    // Signals are for the main thread.
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    ::pthread_setname_np(::pthread_self(), fmt::format("worker-{}", index_).c_str());
    loop_.run();
    // What is still open ends here, on the thread that owns it.
    entry_points_.clear();
    draining_.clear();
    udp_entry_points_.clear();
    draining_udp_.clear();
    upstream::Redis::forget_links();
    loop_.run_once(Duration{});
    if (snapshot_) std::exchange(snapshot_, nullptr)->retire();
  });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::adopt(std::shared_ptr<const Snapshot> snapshot) {
  PinnedSnapshot* old = snapshot_;
  if (old) {
    const auto leaves = [&](const std::string& name) {
      return !snapshot->entry_points.contains(name) && (*old)->entry_points.contains(name);
    };
    for (const auto& [name, entry_point] : entry_points_)
      if (leaves(name)) entry_point->keep_last(old->shared());
    for (const auto& entry_point : draining_)
      if (leaves(entry_point->name())) entry_point->keep_last(old->shared());
  }
  snapshot_ = new PinnedSnapshot(*this, std::move(snapshot));
  if (old) old->retire();
  for (const auto& [name, entry_point] : udp_entry_points_) entry_point->adopt(udp_route(name));
}

std::shared_ptr<const udp::Route> Worker::udp_route(const std::string& name) const {
  const auto found = (*snapshot_)->udp_routes.find(name);
  return found == (*snapshot_)->udp_routes.end() ? nullptr : found->second;
}

void Worker::open_entry_point(const std::string& name, int listener) {
  entry_points_[name] = std::make_unique<WorkerEntryPoint>(*this, name, listener);
}

void Worker::open_udp_entry_point(const std::string& name, Fd socket, const udp::Limits& limits,
                                  std::shared_ptr<udp::Counters> counters) {
  auto opened =
      std::make_unique<udp::EntryPoint>(loop_, name, std::move(socket), limits, std::move(counters));
  opened->adopt(udp_route(name));
  udp_entry_points_[name] = std::move(opened);
}

void Worker::drain_entry_point(const std::string& name) {
  if (const auto udp = udp_entry_points_.find(name); udp != udp_entry_points_.end()) {
    udp->second->drain();
    draining_udp_.push_back(std::move(udp->second));
    udp_entry_points_.erase(udp);
  }
  const auto found = entry_points_.find(name);
  if (found == entry_points_.end()) return;
  std::unique_ptr<WorkerEntryPoint> leaving = std::move(found->second);
  entry_points_.erase(found);
  leaving->stop_accepting();
  leaving->drain();
  draining_.push_back(std::move(leaving));
}

bool Worker::is_drained(const std::string& name) const {
  if (name.empty() && !background_.empty()) return false;  // mirrors on their way
  for (const auto& leaving : draining_)
    if ((name.empty() || leaving->name() == name) && leaving->connections() > 0) return false;
  for (const auto& leaving : draining_udp_)
    if ((name.empty() || leaving->name() == name) && leaving->sessions() > 0) return false;
  return true;
}

void Worker::close_entry_point(const std::string& name) {
  std::erase_if(draining_udp_, [&](const auto& leaving) { return name.empty() || leaving->name() == name; });
  std::erase_if(draining_, [&](const auto& leaving) { return name.empty() || leaving->name() == name; });
}

}  // namespace fairlead::runtime
