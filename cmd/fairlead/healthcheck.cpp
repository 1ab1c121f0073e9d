#include "cmd/fairlead/healthcheck.h"

#include <fmt/format.h>
#include <httplib.h>

#include <cstdio>

namespace fairlead::cmd {
namespace {

constexpr int kSeconds = 5;

}  // namespace

int ask_status(const std::string& host, std::uint16_t port, const std::string& path, bool head,
               std::string& problem) {
  httplib::Client client(host, port);
  client.set_connection_timeout(kSeconds);
  client.set_read_timeout(kSeconds);
  client.set_write_timeout(kSeconds);
  const httplib::Result answer = head ? client.Head(path) : client.Get(path);
  if (answer) return answer->status;
  problem = httplib::to_string(answer.error());
  return 0;
}

int healthcheck(const model::Static& install) {
  if (!install.ping) {
    fmt::print(stderr, "Please enable `ping` to use health check.\n");
    return 1;
  }
  const auto found = install.entry_points.find(install.ping->entry_point);
  const auto address =
      found == install.entry_points.end() ? std::nullopt : model::parse_listen_address(found->second.address);
  if (!address) {
    fmt::print(stderr, "ping: missing entry point \"{}\".\n", install.ping->entry_point);
    return 1;
  }
  const bool everywhere = address->host.empty() || address->host == "0.0.0.0" || address->host == "::";
  const std::string host = everywhere ? "127.0.0.1" : address->host;
  std::string problem;
  const int status = ask_status(host, address->port, "/ping", true, problem);
  if (status == 200) {
    fmt::print("OK: http://{}:{}/ping\n", host, address->port);
    return 0;
  }
  fmt::print(stderr, "{}\n",
             status == 0 ? fmt::format("Error calling healthcheck: {}", problem)
                         : fmt::format("Bad healthcheck status: {}", status));
  return 1;
}

}  // namespace fairlead::cmd
