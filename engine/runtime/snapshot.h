#pragma once

#include "engine/codec/h1/server.h"
#include "engine/codec/h2/server_settings.h"
#include "engine/exchange/entry_point.h"
#include "engine/model/dynamic.h"
#include "engine/model/static.h"
#include "engine/net/address.h"
#include "engine/runtime/tcp_table.h"
#include "engine/tls/site.h"
#include "engine/udp/service.h"
#include "engine/upstream/pools.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::service {
struct HealthPlan;
}
namespace fairlead::tcp {
struct HealthPlan;
}

namespace fairlead::runtime {

// A service that its routers have left for another one.
struct Succession {
  std::string by;
  std::optional<TimePoint> gone;  // since when it is not in the configuration any more
};
using Successions = std::map<std::string, Succession, std::less<>>;
using ServerSets = std::vector<std::pair<upstream::SetId, std::shared_ptr<const upstream::ServerSet>>>;

// Whose PROXY header tells who the client is; that of others is read and ignored.
struct ProxyTrust {
  bool everyone = false;
  std::vector<net::Cidr> ranges;

  bool contains(const net::Ip& peer) const { return everyone || net::contains(ranges, peer); }
};

// One entry point of a snapshot: what its requests meet, and how its connections behave.
struct CompiledEntryPoint {
  exchange::EntryPoint entry;
  std::shared_ptr<const codec::h1::ServerSettings> settings;
  std::shared_ptr<const codec::h2::ServerSettings> http2;
  TcpTable tcp;                     // decides before all else
  bool tls_only = false;            // plain HTTP gets a hint and nothing else
  std::optional<ProxyTrust> proxy;  // absent: no PROXY header is expected
};

// A whole configuration, compiled: immutable, shared by all workers. Requests pin the one they began with.
struct Snapshot {
  std::uint64_t version = 0;
  std::shared_ptr<const model::Static> install;
  std::shared_ptr<const model::Dynamic> dynamic;  // merged and validated: what the API shows
  std::map<std::string, CompiledEntryPoint, std::less<>> entry_points;
  std::map<std::string, std::shared_ptr<const upstream::ServerSet>, std::less<>> sets;  // by service
  std::vector<std::shared_ptr<const service::HealthPlan>> health_plans;
  std::map<std::string, std::shared_ptr<const upstream::ServerSet>, std::less<>> tcp_sets;  // by TCP service
  std::vector<std::shared_ptr<const tcp::HealthPlan>> tcp_health_plans;
  std::map<std::string, std::shared_ptr<const udp::Route>, std::less<>> udp_routes;  // by entry point
  std::vector<std::shared_ptr<const udp::LoadBalancer>> udp_balancers;
  ServerSets changed_sets;                   // against the snapshot before; null: gone
  Successions successions, tcp_successions;  // by the service that was left
  bool tls_challenges = false;               // a certificate resolver validates by tls-alpn-01
  std::shared_ptr<const tls::Tables> tls;    // certificates and challenges: they change without a snapshot
};

}  // namespace fairlead::runtime
