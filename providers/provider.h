#pragma once

#include "engine/model/dynamic.h"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::providers {

// Where providers deliver. Called from the providers' threads, several at once; must not block for long and
// must not call back into the provider.
class Sink {
 public:
  virtual ~Sink() = default;

  // The whole configuration of one provider, replacing its previous one. Names are not yet qualified.
  virtual void publish(std::string_view provider, std::shared_ptr<const model::Dynamic> config) = 0;

  // A server changed its state and nothing else: no throttle, no compile. `url` is the server's, as in the
  // standings of the configuration published last. The next publish() says the same.
  virtual void server_state(std::string_view provider, std::string_view url, model::ServerState state,
                            std::vector<model::Reason> reasons) = 0;
};

// What the API shows about a provider.
struct Status {
  bool connected = false;  // its source answers
  std::string detail;      // why not, or what it reads: "unix:///var/run/docker.sock, API 1.41"
  std::chrono::system_clock::time_point since;
};

// A source of configuration with threads of its own.
class Provider {
 public:
  virtual ~Provider() = default;

  virtual std::string_view name() const = 0;  // "docker", "swarm", "file", "http"
  virtual void start(Sink& sink) = 0;         // returns at once; `sink` outlives stop()
  virtual void stop() = 0;                    // joins promptly; nothing is delivered afterwards
  virtual void refresh() {}                   // SIGHUP: read everything again now
  virtual Status status() const = 0;          // any thread
};

}  // namespace fairlead::providers
