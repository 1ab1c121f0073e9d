#pragma once

#include "engine/base/clock.h"
#include "engine/telemetry/endpoint.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace fairlead::telemetry {

struct ExporterOptions {
  Signal signal = Signal::Traces;
  Endpoint endpoint;
  std::string resource;                        // encoded
  std::size_t max_waiting = 16 * 1024 * 1024;  // bytes of records
  Duration delay = std::chrono::seconds(1);    // how long records wait for others to be sent with
  Duration give_up =
      std::chrono::seconds(60);  // after which a request that a collector cannot take is dropped
  Duration first_pause =
      std::chrono::seconds(1);  // before a request is sent again; then twice as long each time
};

// Sends encoded records to a collector, from a thread of its own. Nobody who gives ever waits: what the
// collector takes too slowly is dropped beyond a bound, counted, and said once a minute.
class Exporter {
 public:
  explicit Exporter(ExporterOptions options);
  // Does not wait for the collector.
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // Any thread. Takes `count` records; `records` comes back empty.
  void give(std::string& records, std::size_t count);
  // Sends without delay, and waits until all that was given before is sent or dropped; false when that took
  // longer.
  bool flush(Duration at_most);
  // From now on records wait for no others: the end is near.
  void hurry();
  std::uint64_t dropped() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fairlead::telemetry
