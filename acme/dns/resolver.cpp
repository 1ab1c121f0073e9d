#include "acme/dns/resolver.h"

#include "engine/base/strings.h"

#include <ares.h>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <openssl/rand.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <set>

namespace fairlead::acme::dns {
namespace {

constexpr int kUdpBytes = 1232;  // announced by EDNS(0); what passes every path unfragmented
constexpr int kMaxAliases = 16;
constexpr int kMaxServers = 16;
constexpr std::size_t kMaxAddresses = 8;  // of one name and family; each may cost a timeout
constexpr auto kLongestPoll = std::chrono::milliseconds(50);  // a stop is seen after that

struct Channel {
  ares_channel channel = nullptr;
  ~Channel() {
    if (channel) ares_destroy(channel);
  }
};

void init_library() {
  static const int once = ares_library_init(ARES_LIB_INIT_ALL);
  (void)once;
}

struct Outcome {
  bool done = false;
  int status = ARES_SUCCESS;
  std::string bytes;
};

void on_answer(void* user, int status, int, unsigned char* bytes, int size) {
  auto& outcome = *static_cast<Outcome*>(user);
  outcome.done = true;
  outcome.status = status;
  if (bytes && size > 0) outcome.bytes.assign(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
}

// Moves the channel's sockets until the answer is there.
void run(ares_channel channel, const Outcome& outcome, TimePoint deadline, const std::stop_token& stop) {
  while (!outcome.done && !stop.stop_requested() && SystemClock::instance().now() < deadline) {
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    const int bits = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
    pollfd waiting[ARES_GETSOCK_MAXNUM];
    nfds_t count = 0;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      short events = 0;
      if (ARES_GETSOCK_READABLE(bits, i)) events |= POLLIN;
      if (ARES_GETSOCK_WRITABLE(bits, i)) events |= POLLOUT;
      if (events) waiting[count++] = {sockets[i], events, 0};
    }
    timeval longest{0, std::chrono::microseconds(kLongestPoll).count()}, room{};
    const timeval* wait = ares_timeout(channel, &longest, &room);
    ::poll(waiting, count, static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
    if (count == 0) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (nfds_t i = 0; i < count; ++i)
      ares_process_fd(channel,
                      waiting[i].revents & (POLLIN | POLLERR | POLLHUP) ? waiting[i].fd : ARES_SOCKET_BAD,
                      waiting[i].revents & POLLOUT ? waiting[i].fd : ARES_SOCKET_BAD);
  }
}

std::vector<std::string> system_servers() {
  Channel holder;
  std::vector<std::string> out;
  if (ares_init(&holder.channel) != ARES_SUCCESS) return out;
  ares_addr_port_node* list = nullptr;
  if (ares_get_servers_ports(holder.channel, &list) != ARES_SUCCESS) return out;
  for (const ares_addr_port_node* node = list; node; node = node->next) {
    char text[INET6_ADDRSTRLEN] = {};
    if (::inet_ntop(node->family, &node->addr, text, sizeof text))
      out.push_back(endpoint(text, node->udp_port > 0 ? static_cast<std::uint16_t>(node->udp_port) : 53));
  }
  ares_free_data(list);
  return out;
}

void add_addresses(const std::string& host, const std::string& port, std::vector<std::string>& into) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  for (const addrinfo* each = found; each; each = each->ai_next) {
    char address[NI_MAXHOST] = {}, service[NI_MAXSERV] = {};
    if (::getnameinfo(each->ai_addr, each->ai_addrlen, address, sizeof address, service, sizeof service,
                      NI_NUMERICHOST | NI_NUMERICSERV) != 0)
      continue;
    std::string text = endpoint(address, static_cast<std::uint16_t>(parse_digits(service).value_or(53)));
    if (std::ranges::find(into, text) == into.end()) into.push_back(std::move(text));
  }
}

}  // namespace

std::string endpoint(const std::string& address, std::uint16_t port) {
  return address.contains(':') ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

std::pair<std::string, std::string> host_and_port(const std::string& text, const std::string& port) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string::npos) return {text.substr(1), port};
    return {text.substr(1, end - 1),
            end + 1 < text.size() && text[end + 1] == ':' ? text.substr(end + 2) : port};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find(':', colon + 1) != std::string::npos) return {text, port};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

Result<Message> ask_server(const std::string& server, const std::string& name, Type type, bool recursive,
                           std::stop_token stop, Duration timeout) {
  init_library();
  ares_options options{};
  // Codes like REFUSED are answers to look at, not reasons to try again.
  options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
  options.tries = 2;
  options.timeout = std::max(1, static_cast<int>(timeout / std::chrono::milliseconds(1) / 3));
  options.ednspsz = kUdpBytes;
  Channel holder;
  if (const int status = ares_init_options(
          &holder.channel, &options, ARES_OPT_FLAGS | ARES_OPT_TRIES | ARES_OPT_TIMEOUTMS | ARES_OPT_EDNSPSZ);
      status != ARES_SUCCESS)
    return fail(500, Fault::Proxy, fmt::format("DNS: {}", ares_strerror(status)));
  if (const int status = ares_set_servers_ports_csv(holder.channel, server.c_str()); status != ARES_SUCCESS)
    return fail(500, Fault::Proxy, fmt::format("DNS server {}: {}", server, ares_strerror(status)));
  std::uint16_t id = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&id), sizeof id);
  unsigned char* question = nullptr;
  int size = 0;
  if (const int status = ares_create_query(name.c_str(), kClassIn, static_cast<int>(type), id, recursive,
                                           &question, &size, kUdpBytes);
      status != ARES_SUCCESS)
    return fail(500, Fault::Proxy,
                fmt::format("{} is no DNS name ({})", fairlead::quoted(name), ares_strerror(status)));
  Outcome outcome;
  ares_send(holder.channel, question, size, on_answer, &outcome);
  ares_free_string(question);
  run(holder.channel, outcome, SystemClock::instance().now() + timeout, stop);
  if (!outcome.done) {
    ares_cancel(holder.channel);  // tells `outcome` once more, while it lives
    if (stop.stop_requested()) return fail(503, Fault::Proxy, "stopped");
    return fail(504, Fault::Upstream, fmt::format("DNS server {} does not answer", server), true);
  }
  if (outcome.status != ARES_SUCCESS) {
    if (outcome.status == ARES_ETIMEOUT)
      return fail(504, Fault::Upstream, fmt::format("DNS server {} does not answer", server), true);
    return fail(502, Fault::Upstream, fmt::format("DNS server {}: {}", server, ares_strerror(outcome.status)),
                true);
  }
  auto message = parse_message(outcome.bytes);
  if (!message)
    return fail(502, Fault::Upstream, fmt::format("DNS server {}: an answer that is no DNS message", server));
  return std::move(*message);
}

Resolver::Resolver(const std::vector<std::string>& servers, std::stop_token stop) : stop_(std::move(stop)) {
  init_library();
  if (servers.empty()) servers_ = system_servers();
  for (const std::string& server : servers) {
    const auto [host, port] = host_and_port(server, "53");
    add_addresses(host, port, servers_);
  }
  if (servers_.size() > kMaxServers) servers_.resize(kMaxServers);
}

Result<Message> Resolver::ask(const std::string& name, Type type) const {
  std::string said;
  for (const std::string& server : servers_) {
    auto answer = ask_server(server, name, type, true, stop_);
    if (stop_.stop_requested()) return fail(503, Fault::Proxy, "stopped");
    if (answer && (answer->rcode == kNoError || answer->rcode == kNxDomain)) return answer;
    if (!said.empty()) said += "; ";
    said += answer ? fmt::format("DNS server {} answers {}", server, rcode_text(answer->rcode))
                   : answer.error().detail;
  }
  if (said.empty()) said = "there is no DNS server to ask";
  return fail(502, Fault::Upstream, fmt::format("look-up of {}: {}", name, said), true);
}

Result<std::string> Resolver::follow_aliases(const std::string& name) const {
  std::string at = canonical(name);
  std::set<std::string> seen{at};
  for (int step = 0; step < kMaxAliases; ++step) {
    const auto answer = ask(at, Type::CNAME);
    if (!answer) return std::unexpected(answer.error());
    const auto alias = std::ranges::find_if(answer->answers, [&](const ResourceRecord& record) {
      return record.is(Type::CNAME) && record.name == at;
    });
    if (alias == answer->answers.end()) return at;
    if (!seen.insert(alias->target).second)
      return fail(502, Fault::Upstream,
                  fmt::format("the CNAME records of {} go in a circle at {}", name, alias->target));
    at = alias->target;
  }
  return fail(502, Fault::Upstream,
              fmt::format("more than {} CNAME records follow each other from {}", kMaxAliases, name));
}

Result<std::string> Resolver::find_zone(const std::string& name) const {
  const std::string wanted = canonical(name);
  for (std::string_view at = wanted;;) {
    const auto answer = ask(std::string(at), Type::SOA);
    if (!answer) return std::unexpected(answer.error());
    for (const ResourceRecord& record : answer->answers)
      if (record.is(Type::SOA) && record.name == at) return record.name;
    const std::size_t dot = at.find('.');
    if (dot == std::string_view::npos) break;
    at.remove_prefix(dot + 1);
  }
  return fail(502, Fault::Upstream,
              fmt::format("no zone holds {}: neither it nor a name above it has an SOA record (asked {})",
                          wanted, join(servers_, ", ")));
}

std::vector<std::string> Resolver::addresses(const std::string& host) const {
  std::vector<std::string> out;
  for (const Type type : {Type::A, Type::AAAA}) {
    const auto answer = ask(host, type);
    if (!answer) continue;
    const std::size_t most = out.size() + kMaxAddresses;
    for (const ResourceRecord& record : answer->answers) {
      if (out.size() == most) break;
      const int family = type == Type::A ? AF_INET : AF_INET6;
      if (!record.is(type) || record.data.size() != (type == Type::A ? 4u : 16u)) continue;
      char text[INET6_ADDRSTRLEN] = {};
      if (::inet_ntop(family, record.data.data(), text, sizeof text)) out.emplace_back(text);
    }
  }
  return out;
}

}  // namespace fairlead::acme::dns
