#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/model/providers.h"
#include "providers/provider.h"
#include "providers/transfer.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace fairlead::providers::http {

// The HTTP provider: a URL that answers the dynamic configuration as YAML or JSON, polled.
class Http final : public Provider {
 public:
  static Configured<std::unique_ptr<Http>> make(const model::HttpProvider& options,
                                                const model::MiddlewareTypes& types);
  // What make() would say of the options.
  static Configured<void> check(const model::HttpProvider& options);
  ~Http() override;

  std::string_view name() const override { return "http"; }
  void start(Sink& sink) override;
  void stop() override;
  void refresh() override;  // polls at once
  Status status() const override;

 private:
  Http(const model::HttpProvider& options, const model::MiddlewareTypes& types);

  void run(Sink& sink);
  std::string poll(Sink& sink);
  bool sleep(Duration duration);

  const model::HttpProvider options_;
  const std::string shown_;  // the endpoint as everybody may see it
  const model::MiddlewareTypes types_;
  Transfer transfer_;
  std::string body_;    // the last one seen; one that did not change is not read again
  std::string unread_;  // why that one is not in effect; empty when it is
  bool polled_ = false;
  std::shared_ptr<const model::Dynamic> published_;
  std::thread thread_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  bool refresh_ = false;
  Status status_;
};

}  // namespace fairlead::providers::http
