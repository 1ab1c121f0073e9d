#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/model/providers.h"
#include "providers/docker/catalog.h"
#include "providers/docker/client.h"
#include "providers/docker/endpoint.h"
#include "providers/docker/swarm_tasks.h"
#include "providers/provider.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace fairlead::providers::docker {

// The Swarm provider: asks a manager every refreshSeconds for services and running tasks.
class Swarm final : public Provider {
 public:
  static Configured<std::unique_ptr<Swarm>> make(const model::SwarmProvider& options,
                                                 const model::MiddlewareTypes& types,
                                                 const model::ShortLabelDefaults& short_labels,
                                                 const Environment& environment);
  // What make() would fail with, or log, of these options. Looks up no name, as making does.
  static Configured<> check(const model::SwarmProvider& options, const Environment& environment);
  ~Swarm() override;

  std::string_view name() const override { return "swarm"; }
  void start(Sink& sink) override;
  void stop() override;
  void refresh() override;
  Status status() const override;

 private:
  Swarm(const model::SwarmProvider& options, Settings settings, Endpoint endpoint);

  void run(Sink& sink);
  std::string poll(Sink& sink);
  // Answers what changed for servers that are known already.
  std::vector<ServerChange> apply(SwarmTasks tasks, TimePoint asked);
  bool sleep(Duration duration);

  const model::SwarmProvider options_;
  const Endpoint endpoint_;
  const Place place_;
  Catalog catalog_;
  Client client_;
  std::optional<Container> own_;  // known for its networks only
  std::string complaints_;        // said last
  std::shared_ptr<const model::Dynamic> published_;
  std::thread thread_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  bool refresh_ = false;
  Status status_;
};

}  // namespace fairlead::providers::docker
