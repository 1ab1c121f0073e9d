#include "engine/udp/entry_point.h"

#include "engine/net/listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::udp {
namespace {

const net::Ip kLoopback = *net::Ip::parse("127.0.0.1");

Fd bound() { return std::move(net::open_udp({"127.0.0.1", 0}, 1, false)->front()); }

// One end outside of the proxy.
class Peer {
 public:
  std::uint16_t port() const { return net::bound_port(socket_.get()); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
  void close() { socket_.reset(); }

  void send(std::uint16_t to, const std::string& bytes) {
    sockaddr_storage raw;
    const socklen_t size = net::Address{kLoopback, to}.to(raw);
    ASSERT_EQ(::sendto(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&raw), size),
              static_cast<ssize_t>(bytes.size()));
  }
  void answer(const std::string& bytes) { send(from, bytes); }
  // What waits; the sender is in `from`.
  std::optional<std::string> receive() {
    std::array<char, 65536> bytes;
    sockaddr_storage raw{};
    socklen_t size = sizeof raw;
    const ssize_t got =
        ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&raw), &size);
    if (got < 0) return std::nullopt;
    from = net::Address::from(raw).port;
    return std::string(bytes.data(), static_cast<std::size_t>(got));
  }
  std::uint16_t from = 0;

 private:
  Fd socket_ = bound();
};

class UdpEntryPoint : public testing::Test {
 protected:
  void open(const Limits& limits = {}) {
    Fd socket = bound();
    port_ = net::bound_port(socket.get());
    entry_point_ = std::make_unique<EntryPoint>(loop_, "dns", std::move(socket), limits, counters_);
    route_to({&server_});
  }
  ServerPtr server(const Peer& peer) {
    auto made = std::make_shared<Server>(*Server::parse(peer.address()));
    made->state = std::make_shared<ServerState>();
    return made;
  }
  void route_to(const std::vector<const Peer*>& peers) {
    std::vector<ServerPtr> servers;
    for (const Peer* peer : peers) servers.push_back(server(*peer));
    route_to_servers(std::move(servers));
  }
  void route_to_servers(std::vector<ServerPtr> servers) {
    auto route = std::make_shared<Route>();
    route->router = "dns@file";
    route->service =
        std::make_shared<LoadBalancer>(std::move(servers), std::make_shared<upstream::ServiceState>(), "");
    entry_point_->adopt(std::move(route));
  }
  // Loopback delivers within the sender's call, so a few turns see everything.
  void turn(Duration later = {}) {
    clock_.advance(later);
    for (int i = 0; i < 4; ++i) loop_.run_once({});
  }
  void ask(Peer& client, const std::string& bytes) {
    client.send(port_, bytes);
    turn();
  }
  std::uint64_t dropped(Drop why) const { return counters_->dropped[static_cast<std::size_t>(why)].get(); }

  ManualClock clock_;
  event::Loop loop_{clock_};
  std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();
  Peer server_;
  Peer client_;
  std::unique_ptr<EntryPoint> entry_point_;
  std::uint16_t port_ = 0;
};

TEST_F(UdpEntryPoint, PassesDatagramsBothWays) {
  open();

  ask(client_, "question");
  EXPECT_EQ(server_.receive(), "question");
  server_.answer("answer");
  turn();

  EXPECT_EQ(client_.receive(), "answer");
  EXPECT_EQ(client_.from, port_);
  EXPECT_EQ(counters_->from_clients.get(), 1u);
  EXPECT_EQ(counters_->to_clients.get(), 1u);
  EXPECT_EQ(counters_->bytes_in.get(), 8u);
  EXPECT_EQ(counters_->bytes_out.get(), 6u);
}

TEST_F(UdpEntryPoint, AClientKeepsItsServerAndItsPortThere) {
  Peer other;
  open();
  route_to({&server_, &other});

  ask(client_, "1");
  Peer& chosen = server_.receive() ? server_ : other;
  if (&chosen == &other) EXPECT_TRUE(other.receive());
  const std::uint16_t port = chosen.from;
  for (int i = 0; i < 5; ++i) {
    ask(client_, "more");
    EXPECT_EQ(chosen.receive(), "more");
    EXPECT_EQ(chosen.from, port);
  }

  EXPECT_EQ(entry_point_->sessions(), 1u);
}

TEST_F(UdpEntryPoint, ClientsShareServersInTurn) {
  Peer other;
  Peer second;
  open();
  route_to({&server_, &other});

  ask(client_, "a");
  ask(second, "b");

  EXPECT_EQ(server_.receive().has_value() + other.receive().has_value(), 2);
  EXPECT_EQ(entry_point_->sessions(), 2u);
}

TEST_F(UdpEntryPoint, ABurstOfSeveralClientsArrivesWholeAndInOrder) {
  Peer second;
  open();

  for (int i = 0; i < 70; ++i) {
    client_.send(port_, "a" + std::to_string(i));
    second.send(port_, "b" + std::to_string(i));
  }
  turn();

  int a = 0;
  int b = 0;
  while (const auto got = server_.receive())
    EXPECT_EQ(got, got->front() == 'a' ? "a" + std::to_string(a++) : "b" + std::to_string(b++));
  EXPECT_EQ(a, 70);
  EXPECT_EQ(b, 70);
}

TEST_F(UdpEntryPoint, AnswersOfManyServersComeInOneTurn) {
  open();
  ask(client_, "q");
  server_.receive();

  for (int i = 0; i < 100; ++i) server_.answer(std::to_string(i));
  for (int i = 0; i < 5; ++i) turn();

  for (int i = 0; i < 100; ++i) EXPECT_EQ(client_.receive(), std::to_string(i));
}

TEST_F(UdpEntryPoint, EmptyAndLargestDatagramsPass) {
  open();
  const std::string largest(65507, 'x');

  ask(client_, "");
  EXPECT_EQ(server_.receive(), "");
  ask(client_, largest);
  EXPECT_EQ(server_.receive(), largest);
}

TEST_F(UdpEntryPoint, ASessionEndsWhenNeitherSideSpeaks) {
  open();
  ask(client_, "q");
  server_.receive();

  turn(std::chrono::milliseconds(2900));
  EXPECT_EQ(entry_point_->sessions(), 1u);
  turn(std::chrono::milliseconds(200));
  EXPECT_EQ(entry_point_->sessions(), 0u);
}

TEST_F(UdpEntryPoint, TrafficOfEitherSideKeepsASession) {
  open();
  ask(client_, "q");
  server_.receive();

  turn(std::chrono::seconds(2));
  server_.answer("a");
  turn();
  turn(std::chrono::seconds(2));
  EXPECT_EQ(entry_point_->sessions(), 1u) << "the server spoke";
  ask(client_, "q");
  turn(std::chrono::seconds(2));
  EXPECT_EQ(entry_point_->sessions(), 1u) << "the client spoke";
  turn(std::chrono::seconds(2));
  EXPECT_EQ(entry_point_->sessions(), 0u);
}

TEST_F(UdpEntryPoint, WhatAServerRefusedGoesToTheNextOne) {
  Peer dead;
  open();
  std::vector<ServerPtr> servers = {server(dead), server(server_)};
  route_to_servers(servers);
  dead.close();

  ask(client_, "question");

  EXPECT_EQ(server_.receive(), "question");
  EXPECT_EQ(counters_->refused.get(), 1u);
  EXPECT_NE(servers[0]->state->refused_at.load(), 0);
}

TEST_F(UdpEntryPoint, WithoutAServerThatAnswersTheSessionEnds) {
  open();
  server_.close();

  ask(client_, "q");

  EXPECT_EQ(entry_point_->sessions(), 0u);
  EXPECT_EQ(dropped(Drop::NoServer), 1u);
}

TEST_F(UdpEntryPoint, AServerThatDiesWithinASessionIsReplaced) {
  Peer other;
  open();
  route_to_servers(std::vector{server(server_), server(other)});
  ask(client_, "q");
  server_.receive();
  server_.answer("a");
  turn();
  server_.close();

  ask(client_, "lost");  // met by an ICMP error, which no datagram of an established session survives
  ask(client_, "next");

  std::string seen;
  while (const auto got = other.receive()) seen += *got;
  EXPECT_NE(seen.find("next"), std::string::npos);
  EXPECT_EQ(entry_point_->sessions(), 1u);
}

TEST_F(UdpEntryPoint, AServerThatIsGoneIsReplacedWithoutAnError) {
  Peer other;
  open();
  const ServerPtr first = server(server_);
  route_to_servers(std::vector{first, server(other)});
  ask(client_, "q");
  server_.receive();

  first->state->phase = upstream::Phase::Draining;
  ask(client_, "draining");
  EXPECT_EQ(server_.receive(), "draining") << "what is open goes on";
  first->state->phase = upstream::Phase::Gone;
  ask(client_, "gone");

  std::string seen;
  while (const auto got = other.receive()) seen += *got;
  EXPECT_NE(seen.find("gone"), std::string::npos);
  EXPECT_FALSE(server_.receive());
}

TEST_F(UdpEntryPoint, OpenSessionsOutliveAChangeOfTheRoute) {
  Peer other;
  Peer second;
  open();
  ask(client_, "q");
  server_.receive();

  route_to({&other});
  ask(client_, "old");
  ask(second, "new");

  EXPECT_EQ(server_.receive(), "old");
  EXPECT_EQ(other.receive(), "new");
}

TEST_F(UdpEntryPoint, ANewClientTakesThePlaceOfTheOldestThatIsNotProven) {
  std::array<Peer, 3> clients;
  open({.sessions = 3, .per_source = 100});
  ask(clients[0], "0");
  server_.receive();
  server_.answer("a");
  turn();
  ask(clients[0], "0 again");  // proven: it spoke after an answer
  ask(clients[1], "1");
  ask(clients[2], "2");

  ask(client_, "new");

  EXPECT_EQ(counters_->evicted.get(), 1u);
  EXPECT_EQ(entry_point_->sessions(), 3u);
  std::string seen;
  while (const auto got = server_.receive()) seen += *got + ",";
  EXPECT_EQ(seen, "0 again,1,2,new,");
  const std::uint64_t opened = counters_->opened.get();
  ask(clients[0], "kept");
  ask(clients[2], "kept");
  EXPECT_EQ(counters_->opened.get(), opened);
}

TEST_F(UdpEntryPoint, WhereAllClientsAreProvenNewOnesAreRefused) {
  open({.sessions = 1, .per_source = 100});
  ask(client_, "q");
  server_.receive();
  server_.answer("a");
  turn();
  ask(client_, "q");
  Peer other;

  ask(other, "q");

  EXPECT_EQ(dropped(Drop::Full), 1u);
  EXPECT_EQ(counters_->evicted.get(), 0u);
}

TEST_F(UdpEntryPoint, OneAddressPushesOutOnlyItselfFromItsShare) {
  std::array<Peer, 3> clients;
  open({.sessions = 100, .per_source = 2});

  for (Peer& client : clients) ask(client, "q");

  EXPECT_EQ(entry_point_->sessions(), 2u);
  EXPECT_EQ(counters_->evicted.get(), 1u);
  const std::uint64_t opened = counters_->opened.get();
  ask(clients[1], "q");
  ask(clients[2], "q");
  EXPECT_EQ(counters_->opened.get(), opened) << "the oldest one went";
}

TEST_F(UdpEntryPoint, AnAddressWhoseShareIsInUseGetsNoMore) {
  std::array<Peer, 2> clients;
  open({.sessions = 100, .per_source = 1});
  ask(clients[0], "q");
  server_.receive();
  server_.answer("a");
  turn();
  ask(clients[0], "q");

  ask(clients[1], "q");

  EXPECT_EQ(entry_point_->sessions(), 1u);
  EXPECT_EQ(dropped(Drop::Source), 1u);
  turn(std::chrono::seconds(4));
  ask(clients[1], "q");
  EXPECT_EQ(entry_point_->sessions(), 1u) << "ended sessions free their share";
}

TEST_F(UdpEntryPoint, NothingIsSentWithoutARoute) {
  open();
  entry_point_->adopt(std::make_shared<Route>());

  ask(client_, "q");

  EXPECT_EQ(entry_point_->sessions(), 0u);
  EXPECT_EQ(dropped(Drop::NoServer), 1u);
  EXPECT_FALSE(client_.receive());
}

TEST_F(UdpEntryPoint, DrainingWaitsForTheAnswersOnTheirWay) {
  Peer answered;
  open();
  ask(answered, "q");
  server_.receive();
  server_.answer("a");
  turn();
  ask(client_, "q");
  server_.receive();

  entry_point_->drain();
  turn();
  EXPECT_EQ(entry_point_->sessions(), 1u) << "who has its answer does not hold it up";
  Peer late;
  ask(late, "q");
  EXPECT_EQ(entry_point_->sessions(), 1u) << "no new session";
  server_.answer("last");
  turn();

  EXPECT_EQ(client_.receive(), "last");
  EXPECT_EQ(entry_point_->sessions(), 0u);
  EXPECT_TRUE(net::open_udp({"127.0.0.1", port_}, 1, false)) << "the port is free again";
}

TEST_F(UdpEntryPoint, AnswersLeaveFromTheAddressThatWasAsked) {
  auto sockets = net::open_udp({"", 0}, 1, false);
  ASSERT_TRUE(sockets);
  port_ = net::bound_port(sockets->front().get());
  entry_point_ = std::make_unique<EntryPoint>(loop_, "dns", std::move(sockets->front()), Limits{}, counters_);
  route_to({&server_});
  Fd client(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage raw;
  const socklen_t size = net::Address{*net::Ip::parse("127.0.0.9"), port_}.to(raw);
  // A connected socket takes answers of that address alone.
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&raw), size), 0);

  ASSERT_EQ(::send(client.get(), "q", 1, 0), 1);
  turn();
  ASSERT_TRUE(server_.receive());
  server_.answer("a");
  turn();

  char byte = 0;
  EXPECT_EQ(::recv(client.get(), &byte, 1, 0), 1);
}

TEST(UdpSockets, ATakenPortIsSaid) {
  const Fd taken = bound();

  const auto again = net::open_udp({"127.0.0.1", net::bound_port(taken.get())}, 2, false);

  ASSERT_FALSE(again);
  EXPECT_NE(again.error().detail.find("Address already in use"), std::string::npos) << again.error().detail;
}

TEST(UdpSockets, SeveralShareOnePort) {
  const auto sockets = net::open_udp({"127.0.0.1", 0}, 3, false);

  ASSERT_TRUE(sockets);
  for (const Fd& socket : *sockets)
    EXPECT_EQ(net::bound_port(socket.get()), net::bound_port(sockets->front().get()));
}

}  // namespace
}  // namespace fairlead::udp
