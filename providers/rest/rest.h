#pragma once

#include "engine/base/result.h"
#include "engine/model/dynamic.h"
#include "providers/provider.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace fairlead::providers::rest {

// What somebody put: the configuration, and the same JSON without its blanks as answer.
struct Put {
  std::shared_ptr<const model::Dynamic> config;
  std::string json;
};

// Fails where the text is no JSON object. What is wrong inside stands at its element, as everywhere.
Configured<Put> read(std::string_view text, const model::MiddlewareTypes& types);

// The REST provider: a configuration that is put over the API, always as a whole. It lives in memory only.
class Rest final : public Provider {
 public:
  Rest();

  std::string_view name() const override { return "rest"; }
  void start(Sink& sink) override;
  void stop() override;
  Status status() const override;

  // Any thread; without effect after stop().
  void take(std::shared_ptr<const model::Dynamic> config);

 private:
  mutable std::mutex mutex_;  // guards what follows
  Sink* sink_ = nullptr;      // of start(); null while it does not run
  Status status_;
};

}  // namespace fairlead::providers::rest
