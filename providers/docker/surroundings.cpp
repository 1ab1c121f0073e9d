#include "providers/docker/surroundings.h"

#include "engine/base/strings.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <future>
#include <memory>
#include <sstream>
#include <thread>

namespace fairlead::providers::docker {
namespace {

constexpr std::chrono::seconds kPatience(1);  // for the address of a name

std::string slurp(const char* path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

bool in_container() {
  return ::access("/.dockerenv", F_OK) == 0 || ::access("/run/.containerenv", F_OK) == 0;
}

std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  else if (address->sa_family == AF_INET6)
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
  return text;
}

std::vector<std::string> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, ::freeaddrinfo);
  std::vector<std::string> out;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) out.push_back(text_of(at->ai_addr));
  return out;
}

// On a thread of its own: a name server that does not answer must not keep the program from starting.
std::vector<std::string> look_up(const std::string& host) {
  const auto answer = std::make_shared<std::promise<std::vector<std::string>>>();
  std::future<std::vector<std::string>> found = answer->get_future();
  std::thread([answer, host] { answer->set_value(resolve(host)); }).detach();
  return found.wait_for(kPatience) == std::future_status::ready ? found.get() : std::vector<std::string>();
}

bool is_own_address(const std::string& address) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return false;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> guard(list, ::freeifaddrs);
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next)
    if (at->ifa_addr != nullptr && text_of(at->ifa_addr) == address) return true;
  return false;
}

std::string address_of_host() {
  for (const char* name : {"host.docker.internal", "host.containers.internal"})
    if (const auto found = look_up(name); !found.empty()) return found.front();
  return default_gateway(slurp("/proc/net/route")).value_or("127.0.0.1");
}

}  // namespace

Place look_around(const Endpoint& endpoint) {
  Place out;
  out.own_id = own_container_id(slurp("/proc/self/mountinfo"), slurp("/proc/self/cgroup")).value_or("");
  out.address = endpoint.host;
  out.remote = !endpoint.local;
  if (out.remote)
    for (const std::string& address : look_up(endpoint.host)) {
      if (is_own_address(address)) out.remote = false;
      if (out.address == endpoint.host) out.address = address;
    }
  // A marker file alone is no proof: an engine that itself runs in a container leaves us on its own network.
  if (in_container() && !out.own_id.empty()) out.host_mode_address = address_of_host();
  return out;
}

std::optional<std::string> default_gateway(std::string_view routes) {
  for (const std::string_view line : split(routes, '\n')) {
    std::istringstream words{std::string(line)};
    std::string interface, destination, gateway;
    words >> interface >> destination >> gateway;
    if (destination != "00000000" || gateway.size() != 8 || gateway == "00000000") continue;
    in_addr address{};
    address.s_addr = static_cast<in_addr_t>(std::strtoul(gateway.c_str(), nullptr, 16));
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &address, text, sizeof text);
    return text;
  }
  return std::nullopt;
}

}  // namespace fairlead::providers::docker
