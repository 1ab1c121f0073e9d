#pragma once

#include "engine/admin/view.h"
#include "engine/exchange/service.h"
#include "engine/observe/exposition.h"

#include <memory>
#include <mutex>
#include <string>

namespace fairlead::admin {

// prometheus@internal: the counters in the text format of Prometheus, under Traefik's names, and what only
// Fairlead counts under `fairlead_`.
class Prometheus final : public exchange::Service {
 public:
  explicit Prometheus(std::shared_ptr<const Sources> sources)
      : sources_(std::move(sources)), scrape_(std::make_shared<Scrape>()) {}
  // Made by a thread of Offload: 10,000 services make megabytes.
  Task<exchange::Response> serve(exchange::Exchange& x) const override;

 private:
  // One at a time, because it remembers which series were shown for the last time.
  struct Scrape {
    std::mutex mutex;
    observe::RequestMetrics requests;
  };
  static std::string text(const Sources& sources, Scrape& scrape);

  std::shared_ptr<const Sources> sources_;
  std::shared_ptr<Scrape> scrape_;
};

// All that is counted, as an exporter shows it; `requests` may be null. `shown` remembers which series were
// shown for the last time: one for each exporter, used by one thread at a time.
void write_metrics(observe::MetricWriter& out, const Sources& sources, const AdminView* view,
                   observe::Metrics* requests, observe::RequestFamilies families,
                   observe::RequestMetrics& shown);

// What the kernel knows of this process: process_cpu_seconds_total and so on.
void write_process_metrics(observe::MetricWriter& out, WallTime started);

}  // namespace fairlead::admin
