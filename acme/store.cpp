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

namespace fairlead::acme {
namespace {

// Of changes that cannot be written: memory holds their effect anyway.
constexpr std::size_t kMaxUnwritten = 4096;

// Without a file: nothing.
Configured<State> read_from(const Fd& file) {
  if (!file) return State{};
  FileInput bytes(file.get());
  std::istream in(&bytes);
  return read_state(in);
}

}  // namespace

Store::Store(std::string path) : file_(std::move(path)) {
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
  const StoreFile::Stamp now = file_.stamp();
  if (loaded_ && now == stamp_) return false;
  loaded_ = true;
  std::string problem;
  auto file = file_.open();
  Configured<State> state = State{};
  if (!file) {
    problem = file.error().what;
  } else {
    state = read_from(*file);
    if (!state) {
      // Another instance may be rewriting it in place, or was ended in the middle of that.
      const auto guard = file_.lock();
      file = file_.open();
      if (file) state = read_from(*file);
      if (!state)
        if (const auto copy = file_.open_copy())
          if (auto saved = read_from(*copy)) {
            spdlog::warn("{} is damaged; the complete copy beside it is used", path());
            state = std::move(saved);
          }
    }
    if (!state) problem = state.error().what;
  }
  stamp_ = now;
  if (!problem.empty()) {
    if (problem != refusal_)
      spdlog::error("{} {}; it is left as it is, and nothing is ordered: mend it, or move it away", path(),
                    problem);
    refusal_ = std::move(problem);
    return false;
  }
  if (!refusal_.empty()) spdlog::info("{} can be read again", path());
  refusal_.clear();
  if (state->empty() && !state_.empty()) {
    // Nobody takes certificates out of service by that; a backup or a mount may have passed by.
    spdlog::warn("{} is gone or empty; what is known is written again", path());
    unwritten_.push_back([](State&) {});
    return false;
  }
  state_ = std::move(*state);
  for (const Change& change : unwritten_) change(state_);
  return true;
}

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
    const auto guard = file_.lock();
    lock.lock();
    load_if_changed();
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
  if (!unwritten_.empty() && refusal_.empty()) flush(lock);
  return changed;
}

std::string storage_problem(const std::string& path) {
  const std::string real = StoreFile::real_path(path);
  const auto said = [&real](std::string_view what) { return fmt::format("the storage {} {}", real, what); };
  const auto file = StoreFile::open_as_it_is(real);
  if (!file) return said(file.error().what);
  if (*file) {
    if (const auto state = read_from(*file); !state) return said(state.error().what);
    return {};
  }
  const auto folder = std::filesystem::path(real).parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return said(fmt::format("cannot be created: {}", std::strerror(errno)));
  return {};
}

}  // namespace fairlead::acme
