#include "engine/udp/session.h"

#include "engine/udp/entry_point.h"
#include "engine/upstream/resolver.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace fairlead::udp {
namespace {

constexpr std::size_t kMaxKept = 4;  // datagrams
constexpr std::size_t kMaxKeptBytes = 4096;
constexpr std::size_t kPerRead = 16;

// What ICMP told about an earlier datagram.
bool is_refusal(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN;
}

}  // namespace

Session::Session(EntryPoint& owner, const net::DatagramEnd& client)
    : owner_(owner), key_(client), client_(client), timer_(owner.loop_.timers(), *this) {}

void Session::forward(std::span<const std::uint16_t> slots) {
  if (gone_) return;
  timer_.arm(owner_.deadline());
  if (answered_ && !std::exchange(proven_, true)) owner_.prove(*this);
  waiting_ = true;
  // A container that is gone refuses nothing: its address is silent.
  if (socket_ && server_->state->phase.load(std::memory_order_relaxed) == upstream::Phase::Gone) {
    more_addresses_.clear();
    give_up_server(false);
  }
  if (!socket_) {
    slots = slots.subspan(keep(slots));
    if (!choosing_ || choosing_.done()) begin();
    if (slots.empty() || gone_) return;
    // A burst: what there was no place for goes at once, if that is possible.
    return socket_ ? send(slots) : owner_.drop(Drop::Unsent, slots.size());
  }
  if (!answered_) keep(slots);
  send(slots);
}

void Session::send(std::span<const std::uint16_t> slots) {
  const std::size_t went = owner_.in_.send_connected(socket_.get(), slots);
  if (went == slots.size()) return;
  if (!is_refusal(errno)) return owner_.drop(Drop::Unsent, slots.size() - went);
  if (answered_) keep(slots.subspan(went));
  give_up_server(true);
  begin();
}

// The first ones that there is place for; how many.
std::size_t Session::keep(std::span<const std::uint16_t> slots) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::string_view bytes = owner_.in_.bytes(slots[i]);
    if (kept_.size() == kMaxKept || kept_bytes_ + bytes.size() > kMaxKeptBytes) return i;
    kept_.emplace_back(bytes);
    kept_bytes_ += bytes.size();
  }
  return slots.size();
}

void Session::begin() {
  choosing_ = choose();
  choosing_.start(nullptr);
}

Task<void> Session::choose() {
  for (;;) {
    while (!more_addresses_.empty()) {
      const net::Ip ip = more_addresses_.front();
      more_addresses_.erase(more_addresses_.begin());
      if (connect(tried_.back(), {ip, tried_.back()->port}) || gone_) co_return;
    }
    const ServerPtr server = owner_.pick(tried_);
    if (!server) {
      owner_.drop(Drop::NoServer, kept_.size());
      close();
      co_return;
    }
    tried_.push_back(server);
    if (server->ip) {
      if (connect(server, {*server->ip, server->port}) || gone_) co_return;
      continue;
    }
    Result<std::vector<net::Ip>> found = co_await upstream::resolve(owner_.loop_, server->host);
    if (found)
      more_addresses_ = std::move(*found);
    else
      spdlog::info("entry point {}: {}", owner_.name_, found.error().detail);
  }
}

// False: another address, or server, is to be tried.
bool Session::connect(const ServerPtr& server, const net::Address& to) {
  Result<Fd> socket = net::connect_udp(to);
  if (!socket) {
    spdlog::info("entry point {}: {}", owner_.name_, socket.error().detail);
    if (socket.error().fault != Fault::Proxy) return false;
    owner_.drop(Drop::Full, kept_.size());
    close();
    return false;
  }
  if (!owner_.loop_.add(socket->get(), *this, EPOLLIN)) {
    spdlog::error("entry point {}: cannot watch the socket for {}: {}", owner_.name_, to.text(),
                  std::strerror(errno));
    close();
    return false;
  }
  socket_ = std::move(*socket);
  server_ = server;
  spdlog::debug("entry point {}: the session of {} goes to {}", owner_.name_, client_.address().text(),
                server->address);
  return send_kept();
}

bool Session::send_kept() {
  for (const std::string& datagram : kept_) {
    ssize_t sent = 0;
    do sent = ::send(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) continue;
    if (is_refusal(errno)) {
      give_up_server(true);
      return false;
    }
    owner_.drop(Drop::Unsent, 1);
  }
  return true;
}

void Session::give_up_server(bool refused) {
  if (refused && more_addresses_.empty()) {
    server_->state->refused_at.store(owner_.loop_.now().time_since_epoch().count(),
                                     std::memory_order_relaxed);
    owner_.counters_->refused.add();
    spdlog::debug("entry point {}: {} refused a datagram of {}", owner_.name_, server_->address,
                  client_.address().text());
  }
  close_socket();
  server_.reset();
  answered_ = false;
}

void Session::on_event(std::uint32_t) {
  if (!socket_) return;
  net::DatagramBatch& answers = owner_.room_for_answers(kPerRead);
  const std::size_t first = answers.count();
  const int got = answers.receive_connected(socket_.get(), kPerRead);
  if (got < 0) {
    if (!is_refusal(errno)) return;
    give_up_server(true);
    return waiting_ ? begin() : close();
  }
  std::size_t bytes = 0;
  for (std::size_t slot = first; slot < answers.count(); ++slot) {
    answers.set_end(slot, client_);
    bytes += answers.bytes(slot).size();
  }
  owner_.counters_->to_clients.add(static_cast<std::uint64_t>(got));
  owner_.counters_->bytes_out.add(bytes);
  timer_.arm(owner_.deadline());
  waiting_ = false;
  if (!std::exchange(answered_, true)) {
    kept_ = {};
    kept_bytes_ = 0;
    tried_.clear();
    more_addresses_.clear();
  }
  if (owner_.draining_) close();
}

void Session::drain() {
  if (!waiting_) close();
}

void Session::close_socket() {
  if (!socket_) return;
  owner_.loop_.remove(socket_.get());
  socket_.reset();
}

void Session::close() {
  if (std::exchange(gone_, true)) return;
  timer_.cancel();
  close_socket();
  owner_.remove(*this);
}

}  // namespace fairlead::udp
