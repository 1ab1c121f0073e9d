#pragma once

#include "acme/state.h"
#include "acme/store_file.h"
#include "engine/base/clock.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::acme {

// What is kept in one acme.json, by all resolvers that name it and all instances that share it. Any thread.
//
// Changes are functions: what another instance wrote meanwhile is read first, and the changes are made to
// that. Several threads that change at once share one write. What cannot be written stays in force in memory
// and is written later. A file that is gone or empty while something is known is written again after 2 s:
// until then its owner may be putting another one there.
class Store {
 public:
  using Change = std::function<void(State&)>;

  explicit Store(std::string path, const Clock& clock = SystemClock::instance());

  // Why the file cannot be used, and is therefore not written either; empty when it can.
  std::string refusal() const;
  // Why it could not be written the last time; empty when all is written.
  std::string write_problem() const;

  template <class F>
  auto read(F f) const {
    const std::lock_guard lock(mutex_);
    return f(static_cast<const State&>(state_));
  }
  // Returns when it is written, or could not be.
  void update(Change change);
  // Reads what another instance (or its owner) wrote; true when something changed. Writes what could not be
  // written before.
  bool refresh();

  bool lock_name(std::string_view name) { return file_.lock_name(name); }
  void unlock_name(std::string_view name) { file_.unlock_name(name); }
  bool is_shared() const { return file_.is_shared(); }
  const std::string& path() const { return file_.path(); }

 private:
  bool load_if_changed();
  bool being_restored() const;
  void flush(std::unique_lock<std::mutex>& lock);

  const Clock& clock_;
  StoreFile file_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable written_;
  State state_;
  std::optional<FileStamp> stamp_;       // of the file that was read; none when it could not be
  std::optional<TimePoint> emptied_at_;  // when it was first seen to be gone or empty, and is not believed
  std::string refusal_;
  std::string write_problem_;
  std::vector<Change> unwritten_;
  std::uint64_t changes_ = 0;  // made so far
  std::uint64_t settled_ = 0;  // of these, written or found impossible to write
  bool writing_ = false;
};

// Why nothing could be kept at that path; empty: it could. Changes and creates nothing.
std::string storage_problem(const std::string& path);

}  // namespace fairlead::acme
