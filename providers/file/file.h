#pragma once

#include "engine/base/result.h"
#include "engine/model/providers.h"
#include "providers/file/contents.h"
#include "providers/file/scan.h"
#include "providers/file/watch.h"
#include "providers/provider.h"
#include "providers/throttle.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace fairlead::providers::file {

// The file provider: one file, or a directory with all its files.
class File final : public Provider {
 public:
  // Fails when neither a file nor a directory is named. `throttle` is providersThrottleDuration.
  static Configured<std::unique_ptr<File>> make(const model::FileProvider& options,
                                                const model::MiddlewareTypes& types, Duration throttle);
  ~File() override;

  std::string_view name() const override { return "file"; }
  void start(Sink& sink) override;
  void stop() override;
  void refresh() override;
  Status status() const override;

 private:
  File(const model::FileProvider& options, const model::MiddlewareTypes& types, Duration throttle);

  void run(Sink& sink);
  void look(Sink& sink);
  Scan scan();
  std::optional<TimePoint> next_look() const;  // without any change

  const model::FileProvider options_;
  Contents contents_;
  Throttle throttle_;
  Watch watch_;
  std::shared_ptr<const model::Dynamic> published_;
  std::string said_;
  std::optional<TimePoint> again_;  // when to look without any change, since something could not be read
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> refresh_ = false;
  mutable std::mutex mutex_;
  Status status_;  // guarded by mutex_
};

}  // namespace fairlead::providers::file
