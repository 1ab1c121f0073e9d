#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/model/client_tls.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::upstream {

class Pools;
struct TransportOptions;

// How fetch() speaks TLS: made once, when the configuration is compiled. The certificate files are read then.
class FetchTls;
Configured<std::shared_ptr<const FetchTls>> make_fetch_tls(const model::ClientTls& options);

// A request of our own to a server named by URL. Everything is owned, so that it may outlive its maker.
struct FetchRequest {
  std::string method = "GET";
  std::string url;  // absolute: http, https or h2c
  // As they are, in order; Host, Content-Length and Connection are added, nothing else is.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Duration timeout = std::chrono::seconds(30);  // for all of it; 0: none
  std::shared_ptr<const FetchTls> tls;          // null: the system's authorities, no client certificate
  // A serversTransport, shared with the health plan that names it: its times and its TLS count, and `tls`
  // does not. It must not share its key with other uses of these pools. Null: our own times, and TLS as `tls`
  // says.
  std::shared_ptr<const TransportOptions> transport;
  std::string host;  // of the Host field; empty: the URL's
  std::uint64_t max_body_bytes = std::uint64_t{1} << 20;
  bool needs_body = true;  // false: one that breaks off or takes too long is no error, the head says it all
};

struct FetchResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // as received, in order
  std::vector<std::pair<std::string, std::string>> trailers = {};
  std::string body;
  bool body_too_large = false;  // more than max_body_bytes came; `body` holds nothing then
};

// Sends it over this worker's pooled connections; redirects are not followed. The body is read to its end.
// Errors: {502, Upstream} when there is no connection or no valid answer, {504, Upstream} after `timeout`.
Task<Result<FetchResponse>> fetch(event::Loop& loop, Pools& pools, FetchRequest request);

}  // namespace fairlead::upstream
