#pragma once

#include "cmd/fairlead/install_config.h"
#include "engine/runtime/control.h"
#include "providers/provider.h"

#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fairlead::cmd {

// Starts and stops what the install configuration asks for, and follows its changes: entry points are the
// engine's, providers are kept here. Belongs to the main thread.
class Supervisor final : providers::Sink {
 public:
  Supervisor(runtime::Control& control, std::shared_ptr<const model::Static> install);
  ~Supervisor() override;

  void start();
  // Applies what changed: providers whose options differ are started anew, the others go on.
  void change(std::shared_ptr<const model::Static> install);
  // SIGHUP: every provider reads its source again.
  void refresh();
  void stop();

  // Any thread.
  std::map<std::string, providers::Status> statuses() const;
  // Any thread: the configuration of the REST provider, as JSON. Answers what it was read as, or what is
  // wrong.
  std::expected<std::string, std::string> put(std::string_view json) const;

 private:
  void publish(std::string_view provider, std::shared_ptr<const model::Dynamic> config) override;
  void server_state(std::string_view provider, std::string_view url, model::ServerState state,
                    std::vector<model::Reason> reasons) override;

  // The provider of that name under these options; null when it is not asked for. What is wrong is logged,
  // and stands as reason in the configuration.
  std::unique_ptr<providers::Provider> make(const std::string& name, const model::Static& install);
  static bool same_options(const std::string& name, const model::Static& a, const model::Static& b);

  runtime::Control& control_;
  std::shared_ptr<const model::Static> install_;
  mutable std::mutex mutex_;  // guards the map against statuses(); only the main thread changes it
  std::map<std::string, std::unique_ptr<providers::Provider>> providers_;
};

// Logs what start() would log of the options of providers, and starts none.
void say_what_keeps_providers_from_starting(const model::Static& install);

}  // namespace fairlead::cmd
