#pragma once

#include "engine/admin/udp_metrics.h"
#include "engine/base/clock.h"
#include "engine/model/api_json.h"
#include "engine/model/dynamic.h"
#include "engine/model/static.h"
#include "engine/model/usage.h"
#include "engine/observe/metrics.h"
#include "engine/tls/certificate.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::admin {

// What a provider says about itself.
struct ProviderState {
  std::string name;        // "docker"
  bool connected = false;  // its source answers
  std::string detail;      // why not, or what it reads
  WallTime since{};
};

// A configuration that is in force, as API, dashboard and metrics show it. Immutable.
struct AdminView {
  std::shared_ptr<const model::Static> install;
  std::shared_ptr<const model::Dynamic> dynamic;
  model::Usage usage;
  std::uint64_t reloads = 0;  // configurations applied since the start
  WallTime applied{};         // when this one was
};

struct OpenConnections {
  std::string entry_point;
  std::uint64_t count = 0;
};

// A certificate that serves, or one that is wanted and not there.
struct CertificateView {
  tls::CertificatePtr certificate;  // null: there is none
  std::vector<std::string> names;
  std::string resolver;              // empty: configured, from a file
  std::vector<std::string> routers;  // who uses it: "http/web@docker"
  std::string next;                  // what happens next, in words
  std::string error;                 // the last failure
  std::string meaning;               // and what it means
};

// Where the services of this room get what they show. Every function is called from workers and from the
// threads of Offload, several at once, and must not wait; those that may be empty say so.
struct Sources {
  std::string version;
  std::string codename;
  WallTime started{};
  std::function<std::shared_ptr<const AdminView>()> view;      // null before the first configuration
  std::function<bool()> draining;                              // may be empty
  std::function<std::vector<ProviderState>()> providers;       // may be empty
  std::function<std::vector<OpenConnections>()> connections;   // may be empty
  std::function<std::vector<UdpCounts>()> udp;                 // may be empty; one per entry point
  std::function<std::shared_ptr<observe::Metrics>()> metrics;  // may be empty
  std::function<std::uint64_t()> dropped_log_lines;            // may be empty
  // Records that no OTLP collector took, by what they are of.
  std::function<std::vector<std::pair<std::string_view, std::uint64_t>>()> dropped_records;  // may be empty
  // HTTP/2 connections that were ended for a flood, by the kind of frame.
  std::function<std::vector<std::pair<std::string_view, std::uint64_t>>()> http2_floods;  // may be empty
  std::function<std::optional<bool>(std::string_view service, std::string_view url)>
      server_up;  // may be empty
  std::function<std::optional<model::ServerIllness>(std::string_view service, std::string_view url)>
      illness;  // may be empty
  // The options of a TCP middleware as JSON; without it they are shown as written.
  std::function<std::string(const model::Middleware&)> tcp_middleware_options;  // may be empty
  // The key authorization of an HTTP-01 token (RFC 8555 §8.3).
  std::function<std::optional<std::string>(std::string_view token)> http01;  // may be empty
  std::function<std::vector<CertificateView>()> certificates;                // may be empty
  // Replaces the configuration of the REST provider by this JSON: what it was read as, or why it is refused.
  std::function<std::expected<std::string, std::string>(std::string_view json)>
      put_configuration;  // may be empty
  // What keeps certificates of a router from being obtained or renewed: "http/web@docker", "tcp/db@docker".
  std::function<std::vector<model::Reason>(std::string_view router)> certificate_reasons;  // may be empty
};

}  // namespace fairlead::admin
