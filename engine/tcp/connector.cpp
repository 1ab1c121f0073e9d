#include "engine/tcp/connector.h"

#include "engine/net/proxy_protocol.h"
#include "engine/net/tcp_transport.h"
#include "engine/upstream/abandon.h"
#include "engine/upstream/dialer.h"
#include "engine/upstream/secure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace fairlead::tcp {
namespace {

void set_keep_alive(const net::Transport& transport, Duration period) {
  if (period < Duration{}) return;
  const auto seconds =
      std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::seconds>(period).count());
  net::enable_keepalive(transport.plain_fd(), static_cast<int>(seconds), static_cast<int>(seconds));
}

// A fresh socket takes a header whole; one that does not is broken.
Result<> send_header(net::Transport& transport, const std::string& header) {
  if (header.empty()) return {};
  const iovec part{const_cast<char*>(header.data()), header.size()};
  const net::IoResult sent = transport.write({&part, 1});
  if (sent.bytes == header.size()) return {};
  return fail(502, Fault::Upstream,
              fmt::format("{}: PROXY header: {}", transport.peer().text(),
                          sent.status == net::IoStatus::Failed ? std::strerror(sent.error) : "not taken"),
              true);
}

}  // namespace

std::string announcement(const TransportOptions& options, const net::Transport& client) {
  if (options.proxy_protocol == 0) return {};
  return net::proxy_header(options.proxy_protocol, client.peer(), client.local());
}

Task<Result<std::unique_ptr<net::Transport>>> connect(event::Loop& loop,
                                                      const upstream::ServerAddress& address, bool secure,
                                                      const TransportOptions& options, std::string header) {
  if (secure && !options.tls)
    co_return fail(500, Fault::Proxy, fmt::format("{}: {}", address.url, options.tls_problem));
  auto transport = co_await upstream::dial_address(loop, address, options.dial_timeout);
  if (!transport) co_return std::unexpected(std::move(transport.error()));
  set_keep_alive(**transport, options.keep_alive);
  if (Result<> sent = send_header(**transport, header); !sent) {
    upstream::abandon(loop, std::move(*transport));
    co_return std::unexpected(std::move(sent.error()));
  }
  if (secure) co_return co_await upstream::secure(loop, std::move(*transport), options.tls, address.host);
  co_return std::move(*transport);
}

}  // namespace fairlead::tcp
