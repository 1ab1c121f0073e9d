#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/net/address.h"
#include "engine/upstream/server_state.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::udp {

// What all workers know of one server; relaxed atomics, read at every pick.
struct ServerState {
  std::atomic<upstream::Phase> phase = upstream::Phase::Ready;
  std::atomic<std::int64_t> refused_at{0};  // steady clock, ns: the last ICMP error; 0: never
};

// Where datagrams go: "10.0.0.2:53", "dns:53", "[::1]:53".
struct Server {
  std::string address;  // as configured
  std::string host;     // without brackets
  std::uint16_t port = 0;
  std::optional<net::Ip> ip;  // when the host is an address: no name look-up
  std::shared_ptr<ServerState> state;

  static Configured<Server> parse(std::string_view address);
};
using ServerPtr = std::shared_ptr<const Server>;

// Servers that a session has tried without success.
using Tried = std::span<const ServerPtr>;

// Chooses the server of each new session. Immutable, one per snapshot, used by all workers.
class Service {
 public:
  virtual ~Service() = default;
  // Null when no server can take the session.
  virtual ServerPtr pick(Tried tried, TimePoint now) const = 0;
  // Why there is none, for the log: "container dns-1: stopped".
  virtual std::string trouble() const = 0;
};
using ServicePtr = std::shared_ptr<const Service>;

// Servers in turn. One that refused is left alone for a second, as long as there is another.
class LoadBalancer final : public Service {
 public:
  // `trouble`: what the provider says of servers that are not ready.
  LoadBalancer(std::vector<ServerPtr> servers, std::shared_ptr<upstream::ServiceState> state,
               std::string trouble);
  ServerPtr pick(Tried tried, TimePoint now) const override;
  std::string trouble() const override { return trouble_; }
  const std::vector<ServerPtr>& servers() const { return servers_; }

 private:
  std::vector<ServerPtr> servers_;
  std::shared_ptr<upstream::ServiceState> state_;
  std::string trouble_;
};

// Services by weight; one without a server lets its turn pass.
class Weighted final : public Service {
 public:
  struct Child {
    ServicePtr service;
    int weight = 1;
  };
  Weighted(std::vector<Child> children, std::shared_ptr<upstream::ServiceState> state);
  ServerPtr pick(Tried tried, TimePoint now) const override;
  std::string trouble() const override;

 private:
  std::vector<Child> children_;
  std::shared_ptr<upstream::ServiceState> state_;
  std::vector<std::uint16_t> schedule_;
};

// What an entry point does with new sessions, of one snapshot.
struct Route {
  std::string router;  // "dns@docker"; empty: none
  Duration timeout = std::chrono::seconds(3);
  ServicePtr service;   // null: nobody answers
  std::string trouble;  // why
};

}  // namespace fairlead::udp
