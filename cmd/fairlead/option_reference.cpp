#include "cmd/fairlead/option_reference.h"

#include "engine/middleware/registry.h"
#include "engine/model/dynamic.h"
#include "engine/model/static.h"
#include "engine/schema/option.h"
#include "engine/schema/reference.h"
#include "engine/tcp/registry.h"
#include "providers/docker/own_labels.h"

#include <fmt/format.h>

namespace fairlead::cmd {
namespace {

template <class T>
std::string section(std::string_view title, std::string_view prefix) {
  return fmt::format("\n## {}\n\n{}", title, schema::reference_markdown(schema::type_of<T>(), prefix));
}

constexpr std::string_view kOwnLabels = R"(
## Labels of containers

What concerns the container itself; on Swarm services `swarm.` in place of `docker.`. The four of `fairlead.` are the
short form, which stands for a whole route and is refined by long labels beside it.

| Option | Type | Default | Meaning |
|---|---|---|---|
| `enable` | boolean |  | Whether the container is exposed; `exposedByDefault` of the provider when unset. |
| `fairlead.host` | list of text |  | Hosts of the route, with HTTPS by the only resolver or the one named `default`. |
| `fairlead.path` | text |  | Only requests below this path; beside `fairlead.host`. |
| `fairlead.port` | integer |  | Port of the container's service. |
| `fairlead.auth` | list of text |  | Users of basic authentication, before every HTTP router of the container. |
)";

// The options of a table below the rows above.
std::string placement_labels() {
  const std::string table =
      schema::reference_markdown(schema::type_of<providers::docker::PlacementLabels>(), "docker");
  return table.substr(table.find("| `"));
}

}  // namespace

std::string option_reference() {
  std::string out =
      "# Every option\n\n"
      "Install options are written as flags (`--key=value`), environment (`FAIRLEAD_KEY`, `TRAEFIK_KEY`) or "
      "in the\n"
      "install file. The others are labels (`traefik.` or `fairlead.` in front) and keys of files.\n";
  out += section<model::Static>("Install", "");
  out += kOwnLabels;
  out += placement_labels();
  out += section<model::HttpRouter>("HTTP routers", "http.routers.<name>");
  out += section<model::HttpService>("HTTP services", "http.services.<name>");
  out += section<model::ServersTransport>("HTTP servers transports", "http.serversTransports.<name>");
  out += "\n# HTTP middlewares\n";
  for (const middleware::Type& type : middleware::types()) {
    out += fmt::format("\n## {}\n\n{}\n\n", type.name, type.sentence);
    out +=
        schema::reference_markdown(type.options_type(), fmt::format("http.middlewares.<name>.{}", type.name));
  }
  out += "\n# TCP, UDP and TLS\n";
  out += section<model::TcpRouter>("TCP routers", "tcp.routers.<name>");
  out += section<model::TcpService>("TCP services", "tcp.services.<name>");
  out += section<model::TcpServersTransport>("TCP servers transports", "tcp.serversTransports.<name>");
  for (const tcp::Type& type : tcp::types()) {
    out += fmt::format("\n## TCP middleware {}\n\n{}\n\n", type.name, type.sentence);
    out +=
        schema::reference_markdown(type.options_type(), fmt::format("tcp.middlewares.<name>.{}", type.name));
  }
  out += section<model::UdpRouter>("UDP routers", "udp.routers.<name>");
  out += section<model::UdpService>("UDP services", "udp.services.<name>");
  out += section<model::TlsCertificate>("TLS certificates", "tls.certificates[n]");
  out += section<model::TlsOptions>("TLS options", "tls.options.<name>");
  out += section<model::TlsStore>("TLS stores", "tls.stores.<name>");
  return out;
}

}  // namespace fairlead::cmd
