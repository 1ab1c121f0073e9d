#pragma once

#include "engine/base/channel.h"
#include "engine/model/providers.h"
#include "providers/docker/catalog.h"
#include "providers/docker/endpoint.h"
#include "providers/docker/prober.h"
#include "providers/docker/watcher.h"
#include "providers/provider.h"
#include "providers/throttle.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::providers::docker {

// The Docker provider: containers of one or several engines. One control thread owns the Catalog; watchers
// and the prober bring it what they learn.
class Docker final : public Provider {
 public:
  // Fails when an option cannot be used: default rule, endpoint. `throttle` is providersThrottleDuration.
  static Configured<std::unique_ptr<Docker>> make(const model::DockerProvider& options,
                                                  const model::MiddlewareTypes& types,
                                                  const model::ShortLabelDefaults& short_labels,
                                                  Duration throttle, const Environment& environment);
  // What make() would fail with, or log, of these options. Looks up no name, as making does.
  static Configured<> check(const model::DockerProvider& options, const Environment& environment);
  ~Docker() override;

  std::string_view name() const override { return "docker"; }
  void start(Sink& sink) override;
  void stop() override;
  void refresh() override;
  Status status() const override;

  std::uint64_t calls() const;  // of all engines so far, for tests

 private:
  struct Probed {
    ProbeJob job;
    std::vector<ProbeResult> results;
  };

  Docker(const model::DockerProvider& options, Settings settings, Duration throttle,
         std::map<std::string, Endpoint> endpoints);

  void run(Sink& sink);
  void apply(const Report& report, Sink& sink);
  void follow(const Effects& effects, Sink& sink);
  void publish(Sink& sink);
  void say(const Report& report);
  bool complete() const;
  TimePoint wake_at() const;

  const bool watch_;
  std::map<std::string, Endpoint> endpoints_;
  Catalog catalog_;
  Throttle throttle_;
  std::shared_ptr<const model::Dynamic> published_;
  bool probes_changed_ = false;
  std::set<std::string> unlisted_;         // engines whose first list is still awaited
  std::optional<TimePoint> others_until_;  // how long, since the first one of them was listed
  Channel<Report> reports_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  Prober prober_;
  std::thread thread_;

  mutable std::mutex mutex_;  // guards the two below
  std::vector<Probed> probed_;
  std::map<std::string, Status> statuses_;  // by engine
};

}  // namespace fairlead::providers::docker
