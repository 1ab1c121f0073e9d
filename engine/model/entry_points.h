#pragma once

#include "engine/model/router_tls.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

// Routers of users may not have a higher priority; above it are the internal routers.
inline constexpr std::int64_t kHighestUserPriority = std::numeric_limits<std::int64_t>::max() - 1000;

struct EntryPointRedirect {
  std::string to;  // name of an entry point, or ":port"
  std::string scheme = "https";
  bool permanent = true;
  std::int64_t priority = std::numeric_limits<std::int64_t>::max() - 1;

  bool operator==(const EntryPointRedirect&) const = default;
};

struct Redirections {
  std::optional<EntryPointRedirect> entry_point;

  bool operator==(const Redirections&) const = default;
};

// Which escapes a path may contain; a request with one that is not allowed is answered 400.
struct EncodedCharacters {
  bool slash = true;
  bool back_slash = true;
  bool null_character = true;
  bool semicolon = true;
  bool percent = true;
  bool question_mark = true;
  bool hash = true;

  bool operator==(const EncodedCharacters&) const = default;
};

struct EntryPointHttp {
  std::optional<Redirections> redirections;
  std::vector<std::string> middlewares;  // qualified names
  std::optional<RouterTls> tls;
  std::optional<EncodedCharacters> encoded_characters;  // absent: no check
  bool encode_query_semicolons = false;
  bool sanitize_path = true;
  std::int64_t max_header_bytes = 1048576;
  std::string underscore_headers_strategy = "keep";

  bool operator==(const EntryPointHttp&) const = default;
};

struct EntryPointHttp2 {
  std::int64_t max_concurrent_streams = 250;
  std::int64_t max_decoder_header_table_size = 4096;
  std::int64_t max_encoder_header_table_size = 4096;

  bool operator==(const EntryPointHttp2&) const = default;
};

struct EntryPointHttp3 {
  std::int64_t advertised_port = 0;  // 0: the entry point's

  bool operator==(const EntryPointHttp3&) const = default;
};

struct ForwardedHeaders {
  bool insecure = false;
  std::vector<std::string> trusted_ips;
  std::vector<std::string> connection;
  bool not_append_x_forwarded_for = false;
  bool add_x_forwarded_scheme_headers = false;

  bool operator==(const ForwardedHeaders&) const = default;
};

struct ProxyProtocolIn {
  bool insecure = false;
  std::vector<std::string> trusted_ips;

  bool operator==(const ProxyProtocolIn&) const = default;
};

struct LifeCycle {
  schema::Duration request_accept_grace_timeout{0};
  schema::Duration grace_time_out = std::chrono::seconds(10);

  bool operator==(const LifeCycle&) const = default;
};

inline constexpr schema::Duration kDefaultReadTimeout = std::chrono::seconds(60);

struct RespondingTimeouts {
  std::optional<schema::Duration>
      read_timeout;                   // set: bounds the whole request; unset: 60 s for head and progress
  schema::Duration write_timeout{0};  // 0: none
  schema::Duration idle_timeout = std::chrono::seconds(180);

  bool operator==(const RespondingTimeouts&) const = default;
};

struct EntryPointTransport {
  LifeCycle life_cycle;
  RespondingTimeouts responding_timeouts;
  schema::Duration keep_alive_max_time{0};   // 0: no limit
  std::int64_t keep_alive_max_requests = 0;  // 0: no limit

  bool operator==(const EntryPointTransport&) const = default;
};

struct EntryPointUdp {
  schema::Duration timeout = std::chrono::seconds(3);

  bool operator==(const EntryPointUdp&) const = default;
};

// Default of the routers of an entry point.
struct EntryPointObservability {
  bool access_logs = true;
  bool metrics = true;
  bool tracing = true;
  std::string trace_verbosity = "minimal";

  bool operator==(const EntryPointObservability&) const = default;
};

struct EntryPoint {
  std::string address;  // "[host]:port[/tcp|/udp]"
  bool allow_acme_bypass = false;
  bool reuse_port = false;
  bool as_default = false;
  EntryPointTransport transport;
  std::optional<ProxyProtocolIn> proxy_protocol;
  ForwardedHeaders forwarded_headers;
  EntryPointHttp http;
  EntryPointHttp2 http2;
  std::optional<EntryPointHttp3> http3;
  EntryPointUdp udp;
  EntryPointObservability observability;

  bool operator==(const EntryPoint&) const = default;
};

// An entry point's address taken apart.
struct ListenAddress {
  std::string host;  // empty: all addresses; IPv6 without brackets
  std::uint16_t port = 0;
  bool udp = false;

  bool operator==(const ListenAddress&) const = default;
};

// Empty when the text is no "[host]:port[/tcp|/udp]". The port may be the name of a service, as `https`; port
// 0 lets the system choose.
std::optional<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace fairlead::model

#include "engine/model/entry_points_options.h"  // IWYU pragma: export
