#include "providers/file/file.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace fairlead::providers::file {
namespace {

using std::chrono::steady_clock;

// Between attempts to read what should be readable.
constexpr Duration kAgain = std::chrono::seconds(2);

// Editors write beside a file and rename: on the host the name leads to another file then, here it does not.
model::Reason reason_of_replaced(const std::string& path) {
  return {
      model::ReasonKind::Conflict,
      fmt::format("{} was replaced on the host; mounted alone, it stays here what it was when the container "
                  "started",
                  path),
      "start the container anew, and mount the directory instead of the file", false};
}

}  // namespace

Configured<std::unique_ptr<File>> File::make(const model::FileProvider& options,
                                             const model::MiddlewareTypes& types, Duration throttle) {
  if (options.directory.empty() && options.filename.empty())
    return misconfigured("providers.file", "neither filename nor directory is set");
  return std::unique_ptr<File>(new File(options, types, throttle));
}

File::File(const model::FileProvider& options, const model::MiddlewareTypes& types, Duration throttle)
    : options_(options), contents_(types), throttle_(throttle) {
  contents_.log_templates(options.debug_log_generated_template);
  status_.since = std::chrono::system_clock::now();
}

File::~File() { stop(); }

void File::start(Sink& sink) {
  thread_ = std::thread([this, &sink] { run(sink); });
}

void File::stop() {
  stopping_ = true;
  watch_.wake();
  if (thread_.joinable()) thread_.join();
}

void File::refresh() {
  refresh_ = true;
  watch_.wake();
}

Status File::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void File::run(Sink& sink) {
  look(sink);
  while (!stopping_) {
    TimePoint until = steady_clock::now() + std::chrono::hours(1);
    if (const auto due = throttle_.due()) until = std::min(until, *due);
    if (const auto next = next_look()) until = std::min(until, *next);
    if (watch_.wait(until)) throttle_.changed(steady_clock::now());
    if (stopping_) return;
    const auto next = next_look();
    const bool due = throttle_.take(steady_clock::now()) || (next && *next <= steady_clock::now());
    if (refresh_.exchange(false) || due) look(sink);
  }
}

std::optional<TimePoint> File::next_look() const {
  const auto next = contents_.next_look();
  return next && again_ ? std::min(*next, *again_) : next ? next : again_;
}

// Reads everything; again when there is something new to watch, so that nothing that changes between reading
// and watching is missed.
Scan File::scan() {
  const auto read = [this] {
    return options_.directory.empty() ? scan_file(options_.filename) : scan_directory(options_.directory);
  };
  Scan out = read();
  for (int i = 0; options_.watch && i < 3 && watch_.set(out.watched, out.mounted); ++i) out = read();
  return out;
}

// Reads everything and publishes when it says something else than before.
void File::look(Sink& sink) {
  const Scan scan = this->scan();
  if (scan.trouble != said_ && !scan.trouble.empty())
    spdlog::error("file: {}{}", scan.trouble, published_ ? "; the last good content stays" : "");
  said_ = scan.trouble;
  again_.reset();
  // A path that leads nowhere may lead somewhere again by a change further up, which nothing watches.
  const bool unseen = options_.watch && (!scan.trouble.empty() || !watch_.is_complete());
  if (scan.again || unseen) again_ = steady_clock::now() + kAgain;
  // A file or directory that went away keeps its last good content.
  const bool usable = scan.trouble.empty();
  if (usable) {
    contents_.update(scan.texts, steady_clock::now(), scan.unlisted);
    for (const std::string& complaint : contents_.complaints()) spdlog::error("file: {}", complaint);
  }
  {
    const std::lock_guard lock(mutex_);
    if (status_.connected != usable) status_.since = std::chrono::system_clock::now();
    status_.connected = usable;
    status_.detail =
        usable ? (options_.directory.empty() ? options_.filename : options_.directory) : scan.trouble;
  }
  if (published_ == nullptr && !usable) return;
  auto composed = std::make_shared<model::Dynamic>(contents_.compose());
  for (const std::string& path : scan.replaced) composed->reasons.push_back(reason_of_replaced(path));
  if (published_ != nullptr && *composed == *published_) return;
  for (const model::Reason& reason : composed->reasons) {
    // Files that cannot be read were told above.
    const bool known = std::ranges::find(contents_.complaints(), reason.text) != contents_.complaints().end();
    const bool old =
        published_ != nullptr && std::ranges::find(published_->reasons, reason) != published_->reasons.end();
    if (!known && !old)
      spdlog::warn("file: {}{}{}", reason.text, reason.hint.empty() ? "" : "; ", reason.hint);
  }
  published_ = composed;
  sink.publish(name(), std::move(composed));
}

}  // namespace fairlead::providers::file
