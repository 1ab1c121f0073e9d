#pragma once

#include "engine/event/test_wait.h"
#include "engine/exchange/test_exchange.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

// For unit tests only: middlewares and bodies that wait for lanes and timers.
namespace fairlead::test {

inline exchange::Response run_waiting(const exchange::Middleware& middleware, exchange::Exchange& x,
                                      const exchange::Service& service) {
  const exchange::Chain chain(
      {std::shared_ptr<const exchange::Middleware>(std::shared_ptr<void>(), &middleware)},
      std::shared_ptr<const exchange::Service>(std::shared_ptr<void>(), &service));
  return wait(x.loop, chain.serve(x));
}

inline std::string text_of_waiting(event::Loop& loop, const http::BodyPtr& body) {
  std::string out;
  while (body) {
    const Result<http::Chunk> chunk = wait(loop, body->read(4096));
    if (!chunk) return out + "(broken)";
    out += chunk->bytes;
    if (chunk->last) break;
  }
  return out;
}

// Hands out the given chunks one by one; "!" stands for a failure.
class Chunks final : public http::Body {
 public:
  explicit Chunks(std::vector<std::string> chunks) : chunks_(std::move(chunks)) {}
  Task<Result<http::Chunk>> read(std::size_t) override {
    if (at_ == chunks_.size())
      return Task<Result<http::Chunk>>::ready(http::Chunk{.bytes = {}, .last = true});
    const std::string& now = chunks_[at_++];
    if (now == "!")
      return Task<Result<http::Chunk>>::ready(Result<http::Chunk>(fail(502, Fault::Upstream, "cut off")));
    return Task<Result<http::Chunk>>::ready(http::Chunk{.bytes = now, .last = at_ == chunks_.size()});
  }

 private:
  std::vector<std::string> chunks_;
  std::size_t at_ = 0;
};

inline http::BodyPtr chunks(std::vector<std::string> parts) {
  return http::BodyPtr(new Chunks(std::move(parts)));
}

}  // namespace fairlead::test
