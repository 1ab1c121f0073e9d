#include "engine/upstream/pool.h"

#include "engine/base/prefetch.h"
#include "engine/upstream/dialer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace fairlead::upstream {
namespace {

// How often a request waits for another connection because others filled up the last one.
constexpr int kMaxRounds = 64;
// Idle connections that may rest for a moment, as multiples of max_idle_per_host: many requests of HTTP/2
// clients come and go at once, and a new connection costs more than all the rest of a small request.
constexpr int kSurplus = 4;
constexpr auto kSurplusTime = std::chrono::seconds(1);
// How long a server that said what nobody asked for gets a connection for each request.
constexpr auto kDistrust = std::chrono::minutes(1);

}  // namespace

// Keeps the pool from being removed while a connection for it is on its way.
class Pool::Dialing {
 public:
  explicit Dialing(Pool& pool) : pool_(pool) { ++pool_.dialing_; }
  Dialing(const Dialing&) = delete;
  Dialing& operator=(const Dialing&) = delete;
  ~Dialing() { --pool_.dialing_; }

 private:
  Pool& pool_;
};

// One request that waits for the shared dial.
class Pool::DialWait {
 public:
  explicit DialWait(Pool& pool) : pool_(pool) { pool.waiting_.push_back(this); }
  DialWait(const DialWait&) = delete;
  DialWait& operator=(const DialWait&) = delete;
  ~DialWait() {
    if (woken_) return;
    std::ranges::replace(pool_.waiting_, this, nullptr);
    std::ranges::replace(pool_.waking_, this, nullptr);
  }
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { handle_ = handle; }
  // The dial's error, if it failed.
  std::optional<Error> await_resume() { return std::move(error_); }

 private:
  friend class Pool;
  Pool& pool_;
  std::coroutine_handle<> handle_;
  std::optional<Error> error_;
  bool woken_ = false;
};

template <class Connection>
void Pool::List<Connection>::push(Connection& connection) {
  connection.previous = nullptr;
  connection.next = first;
  if (first) first->previous = &connection;
  first = &connection;
}

template <class Connection>
void Pool::List<Connection>::remove(Connection& connection) {
  (connection.previous ? connection.previous->next : first) = connection.next;
  if (connection.next) connection.next->previous = connection.previous;
  connection.next = connection.previous = nullptr;
}

Pool::Pool(event::Loop& loop, ServerAddress address, TransportOptions options)
    : loop_(loop),
      address_(std::move(address)),
      options_(std::move(options)),
      speaks_(address_.scheme == Scheme::H2c                       ? Speaks::Http2
              : address_.scheme == Scheme::Https && options_.http2 ? Speaks::Unknown
                                                                   : Speaks::Http1),
      timer_(loop.timers(), *this),
      surplus_timer_(loop.timers(), *this) {}

Pool::~Pool() {
  while (idle_list_.first) idle_list_.first->retire();
  while (bound_list_.first) bound_list_.first->retire();
  while (busy_list_.first) {
    codec::h1::ClientConnection* connection = busy_list_.first;
    busy_list_.remove(*connection);
    loop_.destroy_later(std::unique_ptr<event::Destroyable>(connection));
  }
  while (shared_list_.first) {
    codec::h2::ClientConnection* connection = shared_list_.first;
    shared_list_.remove(*connection);
    connection->detach();
  }
}

Task<Result<http::ClientStreamPtr>> Pool::take(StreamNeeds needs) {
  if (options_.proxy_version != 0) return connect_announced(needs);
  if (needs.bound_to != 0 && !needs.fresh)
    if (http::ClientStreamPtr stream = take_bound(needs.bound_to))
      return Task<Result<http::ClientStreamPtr>>::ready(std::move(stream));
  // What went wrong on a shared connection has ended it, so that none of these is stale.
  if (!needs.http1)
    if (http::ClientStreamPtr stream = take_shared())
      return Task<Result<http::ClientStreamPtr>>::ready(std::move(stream));
  if (!needs.fresh)
    if (http::ClientStreamPtr stream = take_idle())
      return Task<Result<http::ClientStreamPtr>>::ready(std::move(stream));
  return needs.http1 || speaks_ == Speaks::Http1 ? connect(needs.http1) : share();
}

http::ClientStreamPtr Pool::take_shared() {
  for (auto* connection = shared_list_.first; connection; connection = connection->next)
    if (connection->capacity() > 0) return lease(*connection);
  return nullptr;
}

http::ClientStreamPtr Pool::take_idle() {
  while (idle_list_.first) {
    codec::h1::ClientConnection& connection = *idle_list_.first;
    if (!connection.usable()) {
      connection.retire();
      continue;
    }
    return lease(connection);
  }
  return nullptr;
}

http::ClientStreamPtr Pool::take_bound(std::uint64_t client) {
  for (auto* connection = bound_list_.first; connection;) {
    auto* const following = connection->next;
    if (connection->bound_to == client) {
      if (connection->usable()) return lease(*connection);
      connection->retire();
    }
    connection = following;
  }
  return nullptr;
}

http::ClientStreamPtr Pool::lease(codec::h1::ClientConnection& connection) {
  leave_idle(connection);
  prefetch(idle_list_.first, sizeof connection / kCacheLine);  // the next request takes that one
  busy_list_.push(connection);
  return connection.lease();
}

void Pool::forget_client(std::uint64_t client) {
  for (auto* connection = bound_list_.first; connection;) {
    auto* const following = connection->next;
    if (connection->bound_to == client) connection->retire();
    connection = following;
  }
}

Task<Result<http::ClientStreamPtr>> Pool::connect(bool http1) {
  const Dialing dialing(*this);
  Result<Dialled> dialled = co_await dial_server(loop_, address_, options_, http1);
  if (!dialled) co_return std::unexpected(std::move(dialled.error()));
  if (dialled->http2) {
    speaks_ = Speaks::Http2;
    co_return lease(adopt_http2(std::move(dialled->transport)));
  }
  codec::h1::ClientConnection& connection = adopt_http1(std::move(dialled->transport));
  busy_list_.push(connection);
  co_return connection.lease();
}

Task<Result<http::ClientStreamPtr>> Pool::connect_announced(StreamNeeds needs) {
  const Dialing dialing(*this);
  std::string header = needs.client ? net::proxy_header(options_.proxy_version, needs.client->source,
                                                        needs.client->destination)
                                    : net::own_proxy_header(options_.proxy_version);
  Result<Dialled> dialled = co_await dial_server(loop_, address_, options_, needs.http1, std::move(header));
  if (!dialled) co_return std::unexpected(std::move(dialled.error()));
  if (dialled->http2) {
    codec::h2::ClientConnection& connection = adopt_http2(std::move(dialled->transport));
    http::ClientStreamPtr stream = connection.lease();
    connection.retire();
    co_return stream;
  }
  codec::h1::ClientConnection& connection = adopt_http1(std::move(dialled->transport));
  busy_list_.push(connection);
  http::ClientStreamPtr stream = connection.lease();
  stream->keep_out_of_pool();
  co_return stream;
}

Task<Result<http::ClientStreamPtr>> Pool::share() {
  for (int round = 0; round < kMaxRounds; ++round) {
    if (!shared_dial_) {
      retire_useless();
      ++dialing_;
      dial_error_.reset();
      shared_dial_ = dial_shared();
      shared_dial_.start(this);
    }
    DialWait wait(*this);
    std::optional<Error> error = co_await wait;
    if (error) co_return std::unexpected(std::move(*error));
    if (http::ClientStreamPtr stream = take_shared()) co_return stream;
    if (speaks_ != Speaks::Http1) continue;
    // Not one for all of them after all.
    if (http::ClientStreamPtr stream = take_idle()) co_return stream;
    co_return co_await connect(false);
  }
  co_return fail(502, Fault::Upstream,
                 fmt::format("server {}: its HTTP/2 connections take no more streams", address_.url), true);
}

// Those that rest, and on which the server has come to allow no stream.
void Pool::retire_useless() {
  for (auto* connection = shared_list_.first; connection;) {
    auto* const following = connection->next;
    if (connection->leased() == 0 && connection->allowed() == 0) connection->retire();
    connection = following;
  }
}

Task<void> Pool::dial_shared() {
  Result<Dialled> dialled = co_await dial_server(loop_, address_, options_, false);
  if (!dialled) {
    dial_error_ = std::move(dialled.error());
    co_return;
  }
  speaks_ = dialled->http2 ? Speaks::Http2 : Speaks::Http1;
  if (dialled->http2)
    adopt_http2(std::move(dialled->transport));
  else
    rest(adopt_http1(std::move(dialled->transport)));
}

// The shared dial has ended.
void Pool::on_tick_end() {
  const Guest still_here(*this);  // whoever is woken may ask elsewhere, and pools are swept then
  shared_dial_.cancel();
  --dialing_;
  waking_.swap(waiting_);
  for (DialWait* wait : waking_)
    if (wait) wait->error_ = dial_error_;
  // Each of them may start the next dial, or be the reason for another one to go away.
  for (std::size_t i = 0; i < waking_.size(); ++i) {
    DialWait* const wait = std::exchange(waking_[i], nullptr);
    if (!wait) continue;
    wait->woken_ = true;
    wait->handle_.resume();
  }
  waking_.clear();
  // What it brought and nobody wants rests, within the limits.
  for (auto* connection = shared_list_.first; connection;) {
    auto* const following = connection->next;
    if (connection->leased() == 0) idle(*connection);
    connection = following;
  }
  if (retired_ || options_.max_idle_per_host < 0)
    while (idle_list_.first) idle_list_.first->retire();
}

codec::h1::ClientConnection& Pool::adopt_http1(std::unique_ptr<net::Transport> transport) {
  codec::h1::ClientOwner& owner = *this;
  return *new codec::h1::ClientConnection(loop_, std::move(transport), owner);
}

codec::h2::ClientConnection& Pool::adopt_http2(std::unique_ptr<net::Transport> transport) {
  // A new connection will allow what the last one did: its own word comes later.
  if (shared_list_.first) assumed_streams_ = std::max<std::size_t>(shared_list_.first->allowed(), 1);
  codec::h2::ClientOwner& owner = *this;
  auto* connection = new codec::h2::ClientConnection(loop_, std::move(transport), owner,
                                                     {.secure = address_.scheme == Scheme::Https,
                                                      .assumed_streams = assumed_streams_,
                                                      .read_idle_timeout = options_.read_idle_timeout,
                                                      .ping_timeout = options_.ping_timeout});
  shared_list_.push(*connection);
  return *connection;
}

http::ClientStreamPtr Pool::lease(codec::h2::ClientConnection& connection) {
  http::ClientStreamPtr stream = connection.lease();
  if (retired_ || options_.max_idle_per_host < 0) connection.retire();
  return stream;
}

void Pool::idle(codec::h1::ClientConnection& connection) {
  const bool unbound = connection.bound_to == 0;
  // The next burst takes more than may rest: what is over goes when nobody wanted it for a moment.
  const int most = unbound ? options_.max_idle_per_host * kSurplus : 1;
  if (retired_ || most < 0 || (unbound && static_cast<int>(idle_) >= most)) return connection.retire();
  if (unbound && loop_.now() < distrusted_until_) return connection.retire();
  busy_list_.remove(connection);
  rest(connection);
  if (unbound && static_cast<int>(idle_) > options_.max_idle_per_host && !surplus_timer_.armed())
    surplus_timer_.arm(loop_.now() + kSurplusTime);
}

// Beyond max_idle_per_host those go that nobody wanted for kSurplusTime. The list begins with the latest.
void Pool::end_surplus() {
  const TimePoint oldest_allowed = loop_.now() - Duration(kSurplusTime);
  int kept = 0;
  bool surplus = false;
  for (auto* connection = idle_list_.first; connection;) {
    auto* const following = connection->next;
    if (++kept > options_.max_idle_per_host) {
      if (connection->idle_since <= oldest_allowed)
        connection->retire();
      else
        surplus = true;
    }
    connection = following;
  }
  if (surplus) surplus_timer_.arm(loop_.now() + kSurplusTime);
}

void Pool::idle(codec::h2::ClientConnection& connection) {
  // One on which the server allows no stream would wait for nothing.
  if (retired_ || connection.allowed() == 0) return connection.retire();
  connection.idle_since = loop_.now();
  watch_idle();
}

void Pool::rest(codec::h1::ClientConnection& connection) {
  if (connection.bound_to == 0) {
    idle_list_.push(connection);
    ++idle_;
  } else {
    bound_list_.push(connection);
  }
  connection.in_idle_list = true;
  connection.idle_since = loop_.now();
  watch_idle();
}

void Pool::watch_idle() {
  if (options_.idle_timeout > Duration{} && !timer_.armed()) timer_.arm(loop_.now() + options_.idle_timeout);
}

void Pool::leave_idle(codec::h1::ClientConnection& connection) {
  if (connection.bound_to == 0) {
    idle_list_.remove(connection);
    --idle_;
  } else {
    bound_list_.remove(connection);
  }
  connection.in_idle_list = false;
}

void Pool::closed(codec::h1::ClientConnection& connection) {
  if (connection.in_idle_list) {
    leave_idle(connection);
  } else {
    busy_list_.remove(connection);
  }
  if (connection.spoke_unasked()) distrust();
  loop_.destroy_later(std::unique_ptr<event::Destroyable>(&connection));
}

// What comes just after the next request has left looks like its answer: no later look can tell. A connection
// that is never used again gives nobody what was meant for another.
void Pool::distrust() {
  if (distrusted_until_ <= loop_.now())
    spdlog::warn(
        "server {}: it sent bytes that no request asked for; for a minute its connections carry one "
        "request each",
        address_.url);
  distrusted_until_ = loop_.now() + kDistrust;
  while (idle_list_.first) idle_list_.first->retire();
}

void Pool::closed(codec::h2::ClientConnection& connection) {
  assumed_streams_ = std::max<std::size_t>(connection.allowed(), 1);
  shared_list_.remove(connection);
  loop_.destroy_later(std::unique_ptr<event::Destroyable>(&connection));
}

void Pool::retire() {
  retired_ = true;
  while (idle_list_.first) idle_list_.first->retire();
  while (bound_list_.first) bound_list_.first->retire();
  for (auto* busy = busy_list_.first; busy; busy = busy->next) busy->retire();
  for (auto* shared = shared_list_.first; shared;) {
    auto* const following = shared->next;
    shared->retire();
    shared = following;
  }
}

void Pool::doubt() {
  for (auto* busy = busy_list_.first; busy; busy = busy->next) busy->doubt();
  for (auto* shared = shared_list_.first; shared; shared = shared->next) shared->doubt();
}

void Pool::on_timer(event::Timer& timer) {
  if (&timer == &surplus_timer_) return end_surplus();
  const TimePoint oldest_allowed = loop_.now() - options_.idle_timeout;
  TimePoint next = TimePoint::max();
  const auto look = [&](auto* connection) {
    if (connection->idle_since <= oldest_allowed)
      connection->retire();
    else
      next = std::min(next, connection->idle_since + options_.idle_timeout);
  };
  for (const auto* list : {&idle_list_, &bound_list_})
    for (auto* connection = list->first; connection;) {
      auto* const following = connection->next;
      look(connection);
      connection = following;
    }
  for (auto* connection = shared_list_.first; connection;) {
    auto* const following = connection->next;
    if (connection->leased() == 0) look(connection);
    connection = following;
  }
  if (next != TimePoint::max()) timer_.arm(next);
}

}  // namespace fairlead::upstream
