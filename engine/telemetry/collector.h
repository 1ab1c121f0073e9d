#pragma once

#include "engine/base/clock.h"
#include "engine/telemetry/endpoint.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::telemetry {

// How a request to a collector ended.
struct Delivery {
  enum class End : unsigned char {
    Taken,
    Later,    // the collector cannot take it now: try again
    Refused,  // it never will
  } end = End::Taken;
  std::string why = {};                // of all but Taken; of Taken: what it says about rejected records
  std::optional<Duration> after = {};  // of Later, when the collector names a time
  std::uint64_t rejected = 0;          // records that it took and threw away (partial_success)
};

// One connection to a collector, kept alive between requests, by HTTP or gRPC (protobuf in both). Used by one
// thread at a time. Proxies named by the environment never apply; redirections are not followed.
class Collector {
 public:
  explicit Collector(const Endpoint& endpoint);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // The bytes in front of a message that send() needs for gRPC's frame.
  static constexpr std::size_t kFrame = 5;
  // `message` is a whole Export…ServiceRequest behind kFrame bytes of no meaning. Takes 10 s at most.
  Delivery send(std::string& message);

  // Any thread: ends the request under way and all later ones within milliseconds.
  void stop();

 private:
  struct Handles;

  const bool grpc_;
  std::unique_ptr<Handles> handles_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace fairlead::telemetry
