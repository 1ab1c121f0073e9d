#pragma once

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/net/address.h"
#include "engine/net/bind_address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace fairlead::net {

// Opens `count` sockets on one UDP address; the kernel spreads clients over them by a hash of both ends, so a
// client always meets the same one. A taken port is an error that names it, unless `reuse_port` asks for
// sharing it with other processes. Dual stack when the host is empty.
Result<std::vector<Fd>> open_udp(const ListenAddress& address, int count, bool reuse_port);
// On the first of `places`, those of the address, that this machine has.
Result<std::vector<Fd>> open_udp(const ListenAddress& address, std::span<const BindAddress> places, int count,
                                 bool reuse_port);

// A socket that exchanges datagrams with `to` alone and hears of its ICMP errors.
Result<Fd> connect_udp(const Address& to);

// Asks for our own address with every datagram, where the socket is bound to all addresses: the answer must
// leave from the one that the client asked.
void tell_local_address(int socket);

// The far end of a datagram, as the kernel has it (with the scope of a link-local address), and our own
// address when the socket tells it.
struct DatagramEnd {
  sockaddr_in6 name{};  // or a sockaddr_in
  socklen_t size = 0;
  Ip local{};  // all zero: not told

  Address address() const;
};

// Datagrams received, or to be sent, by one system call. It holds 64 of any size; pages that no datagram
// touches cost nothing. Not thread-safe.
class DatagramBatch {
 public:
  static constexpr std::size_t kSlots = 64;

  DatagramBatch();

  std::size_t count() const { return count_; }
  std::size_t room() const { return kSlots - count_; }
  void clear() { count_ = 0; }

  // Receives what waits behind what is there, at most `most`; how many came, or -1 with errno (EAGAIN: none).
  // With fewer than `most` nothing waited any more.
  int receive(int socket, std::size_t most);
  // The same from a connected socket: the ends are left to the caller.
  int receive_connected(int socket, std::size_t most);

  std::string_view bytes(std::size_t slot) const { return {data_.get() + slot * kStride, sizes_[slot]}; }
  const DatagramEnd& end(std::size_t slot) const { return ends_[slot]; }
  void set_end(std::size_t slot, const DatagramEnd& end) { ends_[slot] = end; }

  // Sends all to their ends; how many went. What the kernel does not take is lost, as datagrams are.
  std::size_t send_all(int socket);
  // Sends those through a connected socket, in order, until one is refused: how many went, with errno when
  // not all did.
  std::size_t send_connected(int socket, std::span<const std::uint16_t> slots);

 private:
  static constexpr std::size_t kMaxBytes = 65535;
  // Off by a few cache lines, or all datagrams would begin in the same sets of the cache.
  static constexpr std::size_t kStride = 65536 + 320;
  static constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(in6_pktinfo));

  int receive_into(int socket, std::size_t most, bool with_ends);
  void read_control(const msghdr& header, DatagramEnd& end) const;
  std::size_t write_control(const DatagramEnd& end, char* into) const;

  std::unique_ptr<char[]> data_;
  std::array<std::size_t, kSlots> sizes_{};
  std::array<DatagramEnd, kSlots> ends_{};
  std::array<mmsghdr, kSlots> headers_{};
  std::array<iovec, kSlots> parts_{};
  alignas(cmsghdr) std::array<std::array<char, kControlBytes>, kSlots> control_{};
  std::size_t count_ = 0;
};

}  // namespace fairlead::net
