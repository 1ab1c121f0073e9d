#include "engine/http/body.h"

#include <algorithm>

namespace fairlead::http {
namespace {

class TextBody final : public Body {
 public:
  explicit TextBody(std::string_view text) : left_(text) {}
  Task<Result<Chunk>> read(std::size_t max_bytes) override {
    const std::string_view bytes = left_.substr(0, std::min(max_bytes, left_.size()));
    left_.remove_prefix(bytes.size());
    return Task<Result<Chunk>>::ready(Chunk{bytes, left_.empty()});
  }
  std::optional<std::uint64_t> length() const override { return left_.size(); }

 private:
  std::string_view left_;
};

}  // namespace

BodyPtr text_body(std::string_view text) { return BodyPtr(new TextBody(text)); }

}  // namespace fairlead::http
