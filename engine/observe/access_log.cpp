#include "engine/observe/access_log.h"

#include <algorithm>

namespace fairlead::observe {
namespace {

constexpr std::int64_t kLineBytes = 512;  // a line in the JSON form, roughly
constexpr std::int64_t kMostWaiting = 256LL * 1024 * 1024;

// bufferingSize is how many lines may wait. Fewer than the writer holds anyway would only lose lines.
std::size_t waiting_bytes(std::int64_t lines) {
  const std::int64_t wanted = std::min(lines, kMostWaiting / kLineBytes) * kLineBytes;
  return std::max(static_cast<std::size_t>(std::max<std::int64_t>(wanted, 0)), LineWriter::kMaxWaiting);
}

}  // namespace

AccessLog::AccessLog(const model::AccessLog& options)
    : options_(options), line_(options), writer_(options.file_path, waiting_bytes(options.buffering_size)) {}

bool AccessLog::Lines::add(const Facts& facts) {
  if (!log_->line_.concerns(facts.record)) return false;
  const std::uint64_t count = log_->count_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (!log_->line_.wanted(facts.record)) return false;
  log_->line_.append(buffer_, facts, count, times_);
  if (buffer_.size() < kFull) return true;
  hand_over();
  return false;
}

}  // namespace fairlead::observe
