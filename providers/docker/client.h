#pragma once

#include "providers/docker/container.h"
#include "providers/docker/endpoint.h"
#include "providers/docker/events.h"
#include "providers/transfer.h"

#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::providers::docker {

// The calls of the Engine API that Fairlead makes, on one kept-alive connection, for one thread. Errors are
// sentences; the engine's own message is part of them.
class Client {
 public:
  // `timeout` is httpClientTimeout: of every call but events(); 0: five minutes.
  Client(const Endpoint& endpoint, std::chrono::milliseconds timeout);

  // GET /_ping: agrees on a version within 1.24 … kNewest. An engine that names none is spoken to without.
  std::expected<void, std::string> negotiate();
  const std::string& version() const { return version_; }
  void set_version(std::string version) { version_ = std::move(version); }

  std::expected<std::vector<Listed>, std::string> list();
  // Nothing: not found. `limit`: of this call, when it is the shorter one.
  std::expected<std::optional<Container>, std::string> inspect(std::string_view id,
                                                               std::chrono::milliseconds limit = kLongest);

  // Any other GET; the body of a 200. `path` begins with a slash.
  std::expected<std::string, std::string> get(std::string_view path);

  // Runs until the stream ends. `subscribed` is called when the engine's answer began: nothing that happens
  // afterwards is missed. Lines that are no events are skipped, as long as some are.
  std::expected<void, std::string> events(const std::function<void()>& subscribed,
                                          const std::function<void(Event)>& event);

  void stop() { transfer_.stop(); }  // any thread
  bool stopped() const { return transfer_.stopped(); }

  static constexpr std::chrono::minutes kLongest{5};  // a call, however slowly its bytes come
  static constexpr std::string_view kNewest = "1.54";
  static constexpr std::string_view kOldest = "1.24";

 private:
  std::expected<Answer, std::string> call(std::string_view path, std::size_t max_body,
                                          std::chrono::milliseconds limit = kLongest);

  Transfer transfer_;
  std::chrono::milliseconds timeout_;
  std::string fixed_version_;
  std::string version_;  // "1.41", or empty: unversioned paths
};

// The version to speak with an engine whose newest is `engine`; an error when it is older than kOldest.
std::expected<std::string, std::string> agree_on_version(std::string_view engine);

// The engine's words in the body of a failed call: JSON {"message": …} or plain text, shortened.
std::string engine_message(std::string_view body);

}  // namespace fairlead::providers::docker
