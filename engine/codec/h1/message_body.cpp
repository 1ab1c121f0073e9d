#include "engine/codec/h1/message_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace fairlead::codec::h1 {

void MessageBody::begin(BodyKind kind, std::uint64_t length, http::Fields* trailers) {
  kind_ = kind;
  left_ = length;
  received_ = 0;
  tunnel_ = false;
  wanted_ = false;
  broken_ = false;
  trailers_ = trailers;
  failed_.reset();
  decoder_.reset();
  if (kind == BodyKind::Chunked) decoder_ = std::make_unique<ChunkedDecoder>(sender_, trailers);
  complete_ = kind == BodyKind::None || (kind == BodyKind::Length && length == 0);
}

void MessageBody::begin_tunnel() {
  begin(BodyKind::UntilClose, 0, nullptr);
  tunnel_ = true;
}

std::optional<std::uint64_t> MessageBody::length() const {
  if (kind_ == BodyKind::Length) return left_;
  if (kind_ == BodyKind::None) return 0;
  return std::nullopt;
}

void MessageBody::finish() {
  decoder_.reset();
  complete_ = true;
  owner_.body_complete();
}

Result<http::Chunk> MessageBody::ended_early() {
  return fail(sender_ == Fault::Client ? 499 : 502, sender_, "the connection ended in the middle of a body");
}

Result<http::Chunk> MessageBody::take_chunked(std::size_t max_bytes, bool& nothing) {
  while (!input_.empty()) {
    auto step = decoder_->feed(input_.bytes().substr(0, std::max<std::size_t>(max_bytes, 1)));
    if (!step) return std::unexpected(std::move(step.error()));
    const std::string_view data = step->data;
    received_ += data.size();
    // The bytes of `data` stay where they are until somebody reads from a socket again.
    input_.consume(step->consumed);
    if (step->done) {
      finish();
      return http::Chunk{data, true};
    }
    if (!data.empty()) return http::Chunk{data, false};
  }
  nothing = true;
  return http::Chunk{};
}

std::optional<Result<http::Chunk>> MessageBody::try_take(std::size_t max_bytes) {
  for (;;) {
    if (failed_) return std::unexpected(*failed_);
    if (complete_) return http::Chunk{{}, true};
    if (!input_.empty()) {
      if (kind_ == BodyKind::Chunked) {
        bool nothing = false;
        auto chunk = take_chunked(max_bytes, nothing);
        if (!nothing) return chunk;
      } else {
        std::size_t count = std::min(max_bytes, input_.bytes().size());
        if (kind_ == BodyKind::Length)
          count = static_cast<std::size_t>(std::min<std::uint64_t>(count, left_));
        const std::string_view bytes = input_.bytes().substr(0, count);
        input_.consume(count);
        received_ += count;
        if (kind_ == BodyKind::Length) left_ -= count;
        if (kind_ == BodyKind::Length && left_ == 0) {
          finish();
          return http::Chunk{bytes, true};
        }
        return http::Chunk{bytes, false};
      }
    }
    switch (input_.fill()) {
      case Input::Fill::Got: continue;
      case Input::Fill::Dry: return std::nullopt;
      case Input::Fill::End:
        if (kind_ != BodyKind::UntilClose) return ended_early();
        finish();
        return http::Chunk{{}, true};
      case Input::Fill::Failed:
        return fail(sender_ == Fault::Client ? 499 : 502, sender_,
                    fmt::format("reading a body: {}", std::strerror(input_.error())));
    }
  }
}

std::optional<Result<http::Chunk>> MessageBody::take(std::size_t max_bytes) {
  auto now = try_take(max_bytes);
  if (now && !*now) broken_ = true;
  return now;
}

void MessageBody::want() {
  if (!std::exchange(wanted_, true)) owner_.body_wanted();
}

Task<Result<http::Chunk>> MessageBody::read(std::size_t max_bytes) {
  want();
  if (input_.had_its_turn()) [[unlikely]]
    return read_next_turn(max_bytes);
  if (auto now = take(max_bytes)) return Task<Result<http::Chunk>>::ready(std::move(*now));
  return wait_and_read(max_bytes);
}

Task<Result<http::Chunk>> MessageBody::read_next_turn(std::size_t max_bytes) {
  co_await input_.next_turn();
  if (auto now = take(max_bytes)) co_return std::move(*now);
  co_return co_await wait_and_read(max_bytes);
}

Task<Result<http::Chunk>> MessageBody::wait_and_read(std::size_t max_bytes) {
  owner_.body_waits(true);
  for (;;) {
    co_await signal_.wait();
    if (auto now = take(max_bytes)) {
      owner_.body_waits(false);
      co_return std::move(*now);
    }
  }
}

std::optional<http::Lent> MessageBody::lend() {
  if (kind_ != BodyKind::Length || complete_ || failed_ || !input_.empty() || transport_.plain_fd() < 0)
    return std::nullopt;
  return http::Lent{this, left_};
}

Task<Result<>> MessageBody::readable() {
  want();
  if (input_.had_its_turn()) co_await input_.next_turn();
  owner_.body_waits(true);
  while (!input_.readable() && !failed_) co_await signal_.wait();
  owner_.body_waits(false);
  if (failed_) co_return std::unexpected(*failed_);
  co_return Result<>{};
}

void MessageBody::moved(std::uint64_t bytes, bool drained) {
  if (drained) input_.mark_dry();
  if (bytes > 0) wanted_ = true;  // it came without a 100
  input_.note_moved(bytes);
  left_ -= bytes;
  received_ += bytes;
  if (left_ == 0 && !complete_) finish();
}

void MessageBody::release() {
  leased_ = false;
  owner_.body_released();
}

}  // namespace fairlead::codec::h1
