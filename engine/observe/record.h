#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/net/address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::observe {

// What one service came to that was asked. A request may pass several: error pages, fallbacks, further tries.
struct ServicePass {
  std::string_view service;  // of composites the child
  std::string_view server_address;
  int status = 0;         // of its answer, or of ours for want of one
  bool answered = false;  // by a server
  std::uint64_t request_bytes = 0;
  std::uint64_t response_bytes = 0;
  Duration duration{};
  Duration server_duration{};
  int retries = 0;
};

// The facts of one exchange. Layers write what they know; it is read once, when the exchange has ended, by
// the access log, the counters and the tracer. Views live as long as the exchange or its pinned snapshot.
struct Record {
  TimePoint begun{};  // the head was complete
  TimePoint ended{};  // the last byte was handed to the kernel, or the exchange failed
  WallTime begun_wall{};
  Duration origin_duration{};  // inside the service asked last: from its call to the end of its answer

  Duration server_duration{};  // from the connection to the server that answered to its head

  net::Address client;
  std::string_view entry_point;
  std::string_view router;          // "web@docker"; empty when no router matched
  std::string_view router_path;     // "web@file -> cart@file" of one below others (parentRefs); else empty
  std::string_view router_service;  // what the router names
  std::string_view service;         // what was asked last: of composites the child
  bool reached_service = false;     // false when a middleware answered, or no server was to be had
  std::string_view server_url;      // of the server that was chosen last
  std::string_view server_address;  // its host:port
  std::string_view user;            // authenticated, or attempted
  std::string_view client_host;     // where a middleware changed X-Forwarded-For: as it came, else the peer

  // As received, before any middleware.
  std::string_view method;
  std::string_view target;
  std::string_view authority;
  std::string_view protocol;  // "HTTP/1.1"
  std::string_view scheme;

  std::uint64_t request_bytes = 0;   // of the body
  std::uint64_t origin_bytes = 0;    // body bytes from the server
  std::uint64_t response_bytes = 0;  // body bytes to the client
  int origin_status = 0;             // 0: no server answered
  int status = 0;                    // 499 when the client left before the answer
  int retries = 0;

  int service_status = 0;        // what the service asked last came to; 0: nothing yet
  bool server_answered = false;  // or its status is ours
  std::vector<ServicePass> earlier_services;

  std::string_view tls_version;
  std::string_view tls_cipher;
  std::string_view tls_client_subject;

  std::optional<Error> cause;  // why an own answer was given, or why it ended early
  std::string reason;          // the class of the reason that is also shown to the client
  bool log = true;             // access log wanted by the router
  bool metrics = true;
  bool internal = false;  // ping, api and the like

  void clear() { *this = Record{}; }

  // A server of this service is to be had. What another one came to before stays for the counters.
  void begin_service(std::string_view name) {
    if (service_status != 0) [[unlikely]]
      set_aside();
    service = name;
    reached_service = true;
  }
  ServicePass last_service() const {
    return {service,
            server_address,
            service_status,
            server_answered,
            request_bytes - earlier_request_bytes_,
            origin_bytes - earlier_origin_bytes_,
            origin_duration,
            server_duration,
            retries - earlier_retries_};
  }

 private:
  void set_aside() {
    earlier_services.push_back(last_service());
    earlier_request_bytes_ = request_bytes;
    earlier_origin_bytes_ = origin_bytes;
    earlier_retries_ = retries;
    origin_duration = server_duration = {};
    service_status = 0;
    server_answered = false;
  }

  std::uint64_t earlier_request_bytes_ = 0;
  std::uint64_t earlier_origin_bytes_ = 0;
  int earlier_retries_ = 0;
};

}  // namespace fairlead::observe
