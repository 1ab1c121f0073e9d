#pragma once

#include "engine/codec/h1/server.h"
#include "engine/exchange/entry_point.h"
#include "engine/model/dynamic.h"
#include "engine/model/static.h"
#include "engine/tls/site.h"
#include "engine/upstream/pools.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::service {
struct HealthPlan;
}

namespace fairlead::runtime {

using ServerSets = std::vector<std::pair<upstream::SetId, std::shared_ptr<const upstream::ServerSet>>>;

// One entry point of a snapshot: what its requests meet, and how its connections behave.
struct CompiledEntryPoint {
  exchange::EntryPoint entry;
  std::shared_ptr<const codec::h1::ServerSettings> settings;
  bool tls_only = false;  // plain HTTP gets a hint and nothing else
};

// A whole configuration, compiled: immutable, shared by all workers. Requests pin the one they began with.
struct Snapshot {
  std::uint64_t version = 0;
  std::shared_ptr<const model::Static> install;
  std::shared_ptr<const model::Dynamic> dynamic;  // merged and validated: what the API shows
  std::map<std::string, CompiledEntryPoint, std::less<>> entry_points;
  std::map<std::string, std::shared_ptr<const upstream::ServerSet>, std::less<>> sets;  // by service
  std::vector<std::shared_ptr<const service::HealthPlan>> health_plans;
  ServerSets changed_sets;                 // against the snapshot before; null: gone
  std::shared_ptr<const tls::Tables> tls;  // certificates and challenges: they change without a snapshot
};

}  // namespace fairlead::runtime
