#include "acme/store.h"

#include "acme/file_input.h"
#include "acme/state_json.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <istream>
#include <thread>

namespace fairlead::acme {
namespace {

// Of changes that cannot be written: memory holds their effect anyway.
constexpr std::size_t kMaxUnwritten = 4096;
constexpr auto kEmptyMeansEmpty = std::chrono::seconds(2);  // as with files of the configuration
constexpr auto kLookAgain = std::chrono::milliseconds(50);

// Without a file: nothing. `error`: that of reading, if any.
Configured<State> read_from(const Fd& file, int& error) {
  error = 0;
  if (!file) return State{};
  FileInput bytes(file.get());
  std::istream in(&bytes);
  auto state = read_state(in);
  error = bytes.error();
  if (error != 0) return misconfigured({}, fmt::format("cannot be read: {}", std::strerror(error)));
  return state;
}

}  // namespace

Store::Store(std::string path, const Clock& clock) : clock_(clock), file_(std::move(path)) {
  std::unique_lock lock(mutex_);
  load_if_changed();
}

std::string Store::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

std::string Store::write_problem() const {
  const std::lock_guard lock(mutex_);
  return write_problem_;
}

// With mutex_ held. True when there is another state now.
bool Store::load_if_changed() {
  const FileStamp now = file_.stamp();
  if (now == stamp_) return false;
  std::string problem;
  int error = 0;
  auto file = file_.open();
  Configured<State> state = State{};
  if (file) {
    state = read_from(*file, error);
    if (!state) {
      // Another instance may be rewriting it in place, or was ended in the middle of that.
      const auto guard = file_.lock();
      file = file_.open();
      if (file) state = read_from(*file, error);
      if (!state)
        if (const auto copy = file_.open_copy())
          if (auto saved = read_from(*copy, error)) {
            spdlog::warn("{} is damaged; the complete copy beside it is used", path());
            state = std::move(saved);
          }
    }
    if (!state) problem = state.error().what;
  }
  if (!file) problem = file.error().what;
  // What could not be read is tried again each time: nothing marks the end of a want of descriptors.
  stamp_ = file && error == 0 ? std::optional(now) : std::nullopt;
  if (!problem.empty()) {
    if (problem != refusal_)
      spdlog::error("{} {}; it is left as it is, and nothing is ordered: mend it, or move it away", path(),
                    problem);
    refusal_ = std::move(problem);
    return false;
  }
  if (!refusal_.empty()) spdlog::info("{} can be read again", path());
  refusal_.clear();
  const bool emptied = state->empty() && !state_.empty();
  if (!emptied) emptied_at_.reset();
  if (emptied) {
    // Nobody takes certificates out of service by that; a backup or a mount may have passed by. Who puts a
    // file back may have begun with an empty one.
    if (!emptied_at_) emptied_at_ = clock_.now();
    if (being_restored()) {
      stamp_.reset();
      return false;
    }
    emptied_at_.reset();
    spdlog::warn("{} is gone or empty; what is known is written again", path());
    unwritten_.push_back([](State&) {});
    return false;
  }
  state_ = std::move(*state);
  for (const Change& change : unwritten_) change(state_);
  return true;
}

bool Store::being_restored() const { return emptied_at_ && clock_.now() - *emptied_at_ < kEmptyMeansEmpty; }

void Store::update(Change change) {
  std::unique_lock lock(mutex_);
  change(state_);
  if (unwritten_.size() == kMaxUnwritten) unwritten_.erase(unwritten_.begin());
  unwritten_.push_back(std::move(change));
  const std::uint64_t mine = ++changes_;
  while (settled_ < mine) {
    if (writing_)
      written_.wait(lock);
    else
      flush(lock);
  }
}

// One thread at a time, which writes for all that wait.
void Store::flush(std::unique_lock<std::mutex>& lock) {
  writing_ = true;
  std::uint64_t upto = 0;
  std::size_t count = 0;
  Configured<> done;
  {
    lock.unlock();
    std::optional<StoreFile::Guard> guard(file_.lock());
    lock.lock();
    load_if_changed();
    while (being_restored()) {
      lock.unlock();
      guard.reset();
      std::this_thread::sleep_for(kLookAgain);
      guard.emplace(file_.lock());
      lock.lock();
      load_if_changed();
    }
    upto = changes_;
    count = unwritten_.size();
    if (refusal_.empty()) {
      const State now = state_;  // its texts are shared, not copied
      lock.unlock();
      done = file_.write([&now](const StoreFile::Sink& sink) { print_state(now, sink); });
      lock.lock();
      stamp_ = file_.stamp();
    } else {
      done = misconfigured(path(), refusal_);
    }
  }
  std::string problem = done ? std::string() : fmt::format("{} {}", done.error().path, done.error().what);
  if (!problem.empty() && problem != write_problem_)
    spdlog::error("{}; certificates are kept in memory only, and are lost with this process", problem);
  if (problem.empty() && !write_problem_.empty()) spdlog::info("{} is written again", path());
  write_problem_ = std::move(problem);
  if (done)
    unwritten_.erase(unwritten_.begin(),
                     unwritten_.begin() + static_cast<std::ptrdiff_t>(std::min(count, unwritten_.size())));
  settled_ = upto;
  writing_ = false;
  written_.notify_all();
}

bool Store::refresh() {
  std::unique_lock lock(mutex_);
  if (writing_) return false;
  const std::string refused = refusal_;
  const bool changed = load_if_changed() || refused != refusal_;
  if (!unwritten_.empty() && refusal_.empty() && !being_restored()) flush(lock);
  return changed;
}

std::string storage_problem(const std::string& path) {
  const std::string real = StoreFile::real_path(path);
  const auto said = [&real](std::string_view what) { return fmt::format("the storage {} {}", real, what); };
  const auto file = StoreFile::open_as_it_is(real);
  if (!file) return said(file.error().what);
  if (*file) {
    int error = 0;
    if (const auto state = read_from(*file, error); !state) return said(state.error().what);
    return {};
  }
  const auto folder = std::filesystem::path(real).parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return said(fmt::format("cannot be created: {}", std::strerror(errno)));
  return {};
}

}  // namespace fairlead::acme
