#include "engine/exchange/tee.h"

#include "engine/base/assert.h"
#include "engine/base/memory_budget.h"

namespace fairlead::exchange {

class Tee::Reader final : public http::Body {
 public:
  explicit Reader(std::shared_ptr<Tee> tee) : tee_(std::move(tee)) {}

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override {
    // The copy waits for its file between two reads, so that a chunk stays valid until the next one.
    if (tee_->copying_ && (!started_ || tee_->copy_->wants_to_settle())) {
      Result<> settled = co_await tee_->copy_->settle();
      if (!settled && !started_) co_return std::unexpected(std::move(settled.error()));
      if (!settled) tee_->give_up();
    }
    if (!started_ && !tee_->copy_->empty()) replay_ = tee_->copy_->body();
    started_ = true;
    if (replay_) {
      Result<http::Chunk> chunk = co_await replay_->read(max_bytes);
      if (!chunk || !chunk->last) co_return chunk;
      // Bytes of the replay stay valid: they are the copy's memory or the reader's own.
      done_replay_ = std::move(replay_);
      if (tee_->ended_) co_return chunk;
      chunk->last = false;
      if (!chunk->bytes.empty()) co_return chunk;
    }
    if (tee_->ended_) co_return http::Chunk{.bytes = {}, .last = true};
    Result<http::Chunk> chunk = co_await tee_->source_->read(max_bytes);
    if (!chunk) {
      tee_->failed_ = true;
      co_return chunk;
    }
    if (tee_->copying_ && (MemoryBudget::instance().exhausted() || !tee_->copy_->put(chunk->bytes)))
      tee_->give_up();
    if (!tee_->copying_ && !chunk->bytes.empty()) tee_->overflowed_ = true;
    tee_->ended_ = chunk->last;
    co_return chunk;
  }

  std::optional<std::uint64_t> length() const override {
    const std::uint64_t kept = !started_ ? tee_->copy_->size() : replay_ ? *replay_->length() : 0;
    if (tee_->ended_) return kept;
    const auto left = tee_->source_->length();
    return left ? std::optional(kept + *left) : std::nullopt;
  }
  bool tunnel() const override { return tee_->source_ && tee_->source_->tunnel(); }
  http::Fields* trailers() override { return tee_->source_ ? tee_->source_->trailers() : nullptr; }

 private:
  std::shared_ptr<Tee> tee_;
  bool started_ = false;
  http::BodyPtr replay_;
  http::BodyPtr done_replay_;
};

Tee::Tee(http::BodyPtr source, event::Loop& loop, SpoolLimits limits)
    : source_(std::move(source)), loop_(loop), copy_(std::make_unique<Spool>(loop, limits)) {}
Tee::~Tee() = default;

http::BodyPtr Tee::body() {
  FL_ASSERT(replayable(), "whoever sends again asks first");
  FL_ASSERT(source_ || ended_, "the source is dropped only when it was read");
  return http::BodyPtr(new Reader(shared_from_this()));
}

void Tee::give_up() {
  if (!copying_) return;
  copying_ = false;
  if (copy_->empty()) return;
  overflowed_ = true;
  copy_ = std::make_unique<Spool>(loop_, SpoolLimits{.max_bytes = 0});
}

}  // namespace fairlead::exchange
