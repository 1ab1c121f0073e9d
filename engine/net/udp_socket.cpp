#include "engine/net/udp_socket.h"

#include "engine/net/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace fairlead::net {
namespace {

// Room for bursts while the worker is busy elsewhere; the kernel gives what net.core.rmem_max allows.
constexpr int kQueueBytes = 1 << 20;

// Empty with errno when the kernel refuses.
Fd bind_udp(const BindAddress& address, bool shared) {
  const int family = address.raw.ss_family;
  Fd socket(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return socket;
  const int on = 1;
  const int off = 0;
  if (shared) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &kQueueBytes, sizeof kQueueBytes);
  if (::bind(socket.get(), address.get(), address.size) != 0) return Fd();
  return socket;
}

bool is_any(const sockaddr_storage& raw) {
  const Ip ip = Address::from(raw).ip;
  return ip == Ip{} || ip == *Ip::parse("0.0.0.0");
}

void set_port(BindAddress& place, std::uint16_t port) {
  if (place.raw.ss_family == AF_INET6)
    reinterpret_cast<sockaddr_in6&>(place.raw).sin6_port = htons(port);
  else
    reinterpret_cast<sockaddr_in&>(place.raw).sin_port = htons(port);
}

// Empty with errno.
std::vector<Fd> bind_all(BindAddress place, int count, bool reuse_port) {
  // Sharing a port is silent, also with a stranger of the same user: whether it is free is asked alone first.
  if (!reuse_port && !bind_udp(place, false)) return {};
  std::vector<Fd> sockets;
  for (int i = 0; i < count; ++i) {
    sockets.push_back(bind_udp(place, reuse_port || count > 1));
    if (!sockets.back()) return {};
    // Port 0: the others join the one that the kernel chose.
    set_port(place, bound_port(sockets.back().get()));
  }
  return sockets;
}

}  // namespace

Result<std::vector<Fd>> open_udp(const ListenAddress& address, int count, bool reuse_port) {
  const Result<std::vector<BindAddress>> places = bind_addresses(address);
  if (!places) return std::unexpected(places.error());
  return open_udp(address, *places, count, reuse_port);
}

Result<std::vector<Fd>> open_udp(const ListenAddress& address, std::span<const BindAddress> places, int count,
                                 bool reuse_port) {
  for (const BindAddress& place : places) {
    std::vector<Fd> sockets = bind_all(place, count, reuse_port);
    if (!sockets.empty()) return sockets;
    if (!is_family_missing(errno)) break;
  }
  return std::unexpected(bind_problem(address, errno, true));
}

Result<Fd> connect_udp(const Address& to) {
  sockaddr_storage raw;
  const socklen_t size = to.to(raw);
  Fd socket(::socket(raw.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket)
    return fail(503, Fault::Proxy, fmt::format("socket for {}/udp: {}", to.text(), std::strerror(errno)));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&raw), size) != 0)
    return fail(502, Fault::Upstream, fmt::format("connect {}/udp: {}", to.text(), std::strerror(errno)));
  return socket;
}

void tell_local_address(int socket) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&raw), &size) != 0 || !is_any(raw)) return;
  const int on = 1;
  if (raw.ss_family == AF_INET6)
    ::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  else
    ::setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
}

Address DatagramEnd::address() const {
  Address address;
  if (name.sin6_family == AF_INET6) {
    std::memcpy(address.ip.bytes.data(), &name.sin6_addr, 16);
    address.port = ntohs(name.sin6_port);
  } else if (name.sin6_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &name, sizeof v4);
    address.ip.bytes[10] = address.ip.bytes[11] = 0xff;
    std::memcpy(address.ip.bytes.data() + 12, &v4.sin_addr, 4);
    address.port = ntohs(v4.sin_port);
  }
  return address;
}

DatagramBatch::DatagramBatch() : data_(std::make_unique_for_overwrite<char[]>(kSlots * kStride)) {}

int DatagramBatch::receive(int socket, std::size_t most) { return receive_into(socket, most, true); }

int DatagramBatch::receive_connected(int socket, std::size_t most) {
  return receive_into(socket, most, false);
}

int DatagramBatch::receive_into(int socket, std::size_t most, bool with_ends) {
  most = std::min(most, room());
  for (std::size_t i = 0; i < most; ++i) {
    const std::size_t slot = count_ + i;
    parts_[i] = {data_.get() + slot * kStride, kMaxBytes};
    msghdr& header = headers_[i].msg_hdr;
    header = {};
    header.msg_iov = &parts_[i];
    header.msg_iovlen = 1;
    if (!with_ends) continue;
    header.msg_name = &ends_[slot].name;
    header.msg_namelen = sizeof ends_[slot].name;
    header.msg_control = control_[i].data();
    header.msg_controllen = kControlBytes;
  }
  int got = 0;
  do got = ::recvmmsg(socket, headers_.data(), static_cast<unsigned>(most), MSG_DONTWAIT, nullptr);
  while (got < 0 && errno == EINTR);
  if (got < 0) return got;
  for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
    sizes_[count_] = headers_[i].msg_len;
    if (with_ends) {
      ends_[count_].size = headers_[i].msg_hdr.msg_namelen;
      read_control(headers_[i].msg_hdr, ends_[count_]);
    }
    ++count_;
  }
  return got;
}

void DatagramBatch::read_control(const msghdr& header, DatagramEnd& end) const {
  end.local = {};
  for (const cmsghdr* at = CMSG_FIRSTHDR(&header); at;
       at = CMSG_NXTHDR(const_cast<msghdr*>(&header), const_cast<cmsghdr*>(at))) {
    if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo told;
      std::memcpy(&told, CMSG_DATA(at), sizeof told);
      std::memcpy(end.local.bytes.data(), &told.ipi6_addr, 16);
    } else if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
      in_pktinfo told;
      std::memcpy(&told, CMSG_DATA(at), sizeof told);
      end.local.bytes[10] = end.local.bytes[11] = 0xff;
      std::memcpy(end.local.bytes.data() + 12, &told.ipi_addr, 4);
    }
  }
}

// Of an IPv6 socket also for IPv4, in mapped form. The interface is left to the route.
std::size_t DatagramBatch::write_control(const DatagramEnd& end, char* into) const {
  if (end.local == Ip{}) return 0;
  auto* head = reinterpret_cast<cmsghdr*>(into);
  if (end.name.sin6_family == AF_INET6) {
    in6_pktinfo from{};
    std::memcpy(&from.ipi6_addr, end.local.bytes.data(), 16);
    head->cmsg_level = IPPROTO_IPV6;
    head->cmsg_type = IPV6_PKTINFO;
    head->cmsg_len = CMSG_LEN(sizeof from);
    std::memcpy(CMSG_DATA(head), &from, sizeof from);
    return CMSG_SPACE(sizeof from);
  }
  in_pktinfo from{};
  std::memcpy(&from.ipi_spec_dst, end.local.bytes.data() + 12, 4);
  head->cmsg_level = IPPROTO_IP;
  head->cmsg_type = IP_PKTINFO;
  head->cmsg_len = CMSG_LEN(sizeof from);
  std::memcpy(CMSG_DATA(head), &from, sizeof from);
  return CMSG_SPACE(sizeof from);
}

std::size_t DatagramBatch::send_all(int socket) {
  for (std::size_t i = 0; i < count_; ++i) {
    parts_[i] = {data_.get() + i * kStride, sizes_[i]};
    msghdr& header = headers_[i].msg_hdr;
    header = {};
    header.msg_iov = &parts_[i];
    header.msg_iovlen = 1;
    header.msg_name = &ends_[i].name;
    header.msg_namelen = ends_[i].size;
    header.msg_controllen = write_control(ends_[i], control_[i].data());
    if (header.msg_controllen > 0) header.msg_control = control_[i].data();
  }
  std::size_t went = 0;
  for (std::size_t at = 0; at < count_;) {
    const int sent =
        ::sendmmsg(socket, headers_.data() + at, static_cast<unsigned>(count_ - at), MSG_DONTWAIT);
    if (sent > 0) {
      at += static_cast<std::size_t>(sent);
      went += static_cast<std::size_t>(sent);
    } else if (sent < 0 && errno == EINTR) {
      continue;
    } else if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
      break;
    } else {
      ++at;  // this one alone cannot be sent: no route, or too large for it
    }
  }
  count_ = 0;
  return went;
}

std::size_t DatagramBatch::send_connected(int socket, std::span<const std::uint16_t> slots) {
  if (slots.size() == 1) {
    const std::string_view one = bytes(slots[0]);
    ssize_t sent = 0;
    do sent = ::send(socket, one.data(), one.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0 ? 1 : 0;
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    parts_[i] = {data_.get() + slots[i] * kStride, sizes_[slots[i]]};
    headers_[i].msg_hdr = {};
    headers_[i].msg_hdr.msg_iov = &parts_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
  }
  std::size_t at = 0;
  while (at < slots.size()) {
    const int sent =
        ::sendmmsg(socket, headers_.data() + at, static_cast<unsigned>(slots.size() - at), MSG_DONTWAIT);
    if (sent > 0)
      at += static_cast<std::size_t>(sent);
    else if (sent == 0 || errno != EINTR)
      break;
  }
  return at;
}

}  // namespace fairlead::net
