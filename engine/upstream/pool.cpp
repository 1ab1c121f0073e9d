#include "engine/upstream/pool.h"

#include "engine/upstream/dialer.h"
#include "engine/upstream/resolver.h"
#include "engine/upstream/secure.h"

#include <fmt/format.h>

namespace fairlead::upstream {

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

void Pool::List::push(codec::h1::ClientConnection& connection) {
  connection.previous = nullptr;
  connection.next = first;
  if (first) first->previous = &connection;
  first = &connection;
}

void Pool::List::remove(codec::h1::ClientConnection& connection) {
  (connection.previous ? connection.previous->next : first) = connection.next;
  if (connection.next) connection.next->previous = connection.previous;
  connection.next = connection.previous = nullptr;
}

Pool::Pool(event::Loop& loop, ServerAddress address, TransportOptions options)
    : loop_(loop), address_(std::move(address)), options_(std::move(options)), timer_(loop.timers(), *this) {}

Pool::~Pool() {
  while (idle_list_.first) idle_list_.first->retire();
  while (busy_list_.first) {
    codec::h1::ClientConnection* connection = busy_list_.first;
    busy_list_.remove(*connection);
    loop_.destroy_later(std::unique_ptr<event::Destroyable>(connection));
  }
}

Task<Result<http::ClientStreamPtr>> Pool::take(bool fresh) {
  while (!fresh && idle_list_.first) {
    codec::h1::ClientConnection& connection = *idle_list_.first;
    if (!connection.usable()) {
      connection.retire();
      continue;
    }
    leave_idle(connection);
    busy_list_.push(connection);
    return Task<Result<http::ClientStreamPtr>>::ready(connection.lease());
  }
  return connect();
}

Task<Result<http::ClientStreamPtr>> Pool::connect() {
  const Dialing dialing(*this);
  if (address_.scheme == Scheme::H2c)
    co_return fail(503, Fault::Proxy, fmt::format("{}: h2c is not yet in effect", address_.url));
  std::shared_ptr<const tls::ClientContext> tls = options_.tls;
  if (address_.scheme == Scheme::Https && !tls) {
    auto plain = default_client_context();
    if (!plain) co_return std::unexpected(std::move(plain.error()));
    tls = std::move(*plain);
  }
  std::vector<net::Ip> candidates;
  if (address_.ip) {
    candidates.push_back(*address_.ip);
  } else {
    Result<std::vector<net::Ip>> found = co_await resolve(loop_, address_.host);
    if (!found) co_return std::unexpected(std::move(found.error()));
    candidates = std::move(*found);
  }
  Error last{502, Fault::Upstream, true, "no address"};
  for (const net::Ip& ip : candidates) {
    auto transport = co_await dial(loop_, {ip, address_.port}, options_.dial_timeout);
    if (!transport) {
      last = std::move(transport.error());
      continue;
    }
    if (address_.scheme == Scheme::Https) {
      transport = co_await secure(loop_, std::move(*transport), tls, address_.host);
      if (!transport) co_return std::unexpected(std::move(transport.error()));
    }
    auto connection = std::unique_ptr<codec::h1::ClientConnection>(
        new codec::h1::ClientConnection(loop_, std::move(*transport), *this));
    codec::h1::ClientConnection& owned = *connection.release();
    busy_list_.push(owned);
    co_return owned.lease();
  }
  co_return std::unexpected(std::move(last));
}

void Pool::idle(codec::h1::ClientConnection& connection) {
  if (retired_ || options_.max_idle_per_host <= static_cast<int>(idle_)) return connection.retire();
  busy_list_.remove(connection);
  idle_list_.push(connection);
  connection.in_idle_list = true;
  ++idle_;
  connection.idle_since = loop_.now();
  if (options_.idle_timeout > Duration{} && !timer_.armed()) timer_.arm(loop_.now() + options_.idle_timeout);
}

void Pool::leave_idle(codec::h1::ClientConnection& connection) {
  idle_list_.remove(connection);
  connection.in_idle_list = false;
  --idle_;
}

void Pool::closed(codec::h1::ClientConnection& connection) {
  if (connection.in_idle_list) {
    leave_idle(connection);
  } else {
    busy_list_.remove(connection);
  }
  loop_.destroy_later(std::unique_ptr<event::Destroyable>(&connection));
}

void Pool::retire() {
  retired_ = true;
  while (idle_list_.first) idle_list_.first->retire();
  for (auto* busy = busy_list_.first; busy; busy = busy->next) busy->retire();
}

void Pool::on_timer(event::Timer&) {
  const TimePoint oldest_allowed = loop_.now() - options_.idle_timeout;
  TimePoint next = TimePoint::max();
  for (auto* connection = idle_list_.first; connection;) {
    auto* following = connection->next;
    if (connection->idle_since <= oldest_allowed)
      connection->retire();
    else
      next = std::min(next, connection->idle_since + options_.idle_timeout);
    connection = following;
  }
  if (next != TimePoint::max()) timer_.arm(next);
}

}  // namespace fairlead::upstream
