#pragma once

#include "engine/exchange/spool.h"
#include "engine/service/status.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace fairlead::service {

struct MirrorTarget {
  std::shared_ptr<const exchange::Service> service;
  int percent = 0;  // 0..100
};

// Shared by all workers, kept over configuration changes.
struct MirrorState {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint32_t> running = 0;  // copies that have not ended yet
};

struct MirroringOptions {
  bool mirror_body = true;
  // A request with a larger body is not mirrored, unless mirrors get no body at all.
  std::uint64_t max_body_bytes = exchange::SpoolLimits::kTotal;
};

// Whether the `number`th request (from 1) is mirrored: evenly spread, the first one always.
bool takes_turn(std::uint64_t number, int percent);

// Sends copies of requests to other services, whose answers are thrown away. They leave after the main
// response was read to its end or dropped for another one, as a background exchange of the same worker, so
// the main response waits for nothing and a dead mirror is harmless. The body is copied while the main
// service reads it; when it does not read all of it, or the client leaves before the end, nothing is
// mirrored.
class Mirroring final : public exchange::Service, public Status {
 public:
  Mirroring(MirroringOptions options, Child main, std::vector<MirrorTarget> mirrors,
            std::shared_ptr<MirrorState> state)
      : options_(options), main_(std::move(main)), mirrors_(std::move(mirrors)), state_(std::move(state)) {}

  Task<exchange::Response> serve(exchange::Exchange& x) const override;
  bool up(const upstream::Pools& pools) const override { return main_.up(pools); }

 private:
  using Chosen = std::vector<std::shared_ptr<const exchange::Service>>;
  Task<exchange::Response> mirrored(exchange::Exchange& x, Chosen chosen) const;

  MirroringOptions options_;
  Child main_;
  std::vector<MirrorTarget> mirrors_;
  std::shared_ptr<MirrorState> state_;
};

}  // namespace fairlead::service
