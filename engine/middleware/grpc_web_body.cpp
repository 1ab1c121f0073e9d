#include "engine/middleware/grpc_web_body.h"

#include "engine/base/base64.h"
#include "engine/base/strings.h"
#include "engine/http/fields.h"

#include <openssl/evp.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace fairlead::middleware {
namespace {

constexpr std::size_t kReadBytes = 48 * 1024;

// Hands out what a step of translation has left in out_.
class Translated : public http::Body {
 public:
  explicit Translated(http::BodyPtr inner) : inner_(std::move(inner)) {}

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override {
    if (at_ < out_.size()) return Task<Result<http::Chunk>>::ready(take(max_bytes));
    return refill(max_bytes);
  }

 protected:
  // Appends the translation of `bytes` to out_; `last`: nothing follows.
  virtual Result<> translate(std::string_view bytes, bool last) = 0;

  http::BodyPtr inner_;
  std::string out_;

 private:
  http::Chunk take(std::size_t max_bytes) {
    const std::string_view bytes = std::string_view(out_).substr(at_, max_bytes);
    at_ += bytes.size();
    return {bytes, ended_ && at_ == out_.size()};
  }
  Task<Result<http::Chunk>> refill(std::size_t max_bytes) {
    out_.clear();
    at_ = 0;
    while (out_.empty() && !ended_) {
      http::Chunk now{.bytes = {}, .last = true};
      if (inner_) {
        Result<http::Chunk> chunk = co_await inner_->read(kReadBytes);
        if (!chunk) co_return chunk;
        now = *chunk;
      }
      Result<> done = translate(now.bytes, now.last);
      if (!done) co_return std::unexpected(std::move(done.error()));
      ended_ = now.last;
    }
    co_return take(max_bytes);
  }

  std::size_t at_ = 0;
  bool ended_ = false;
};

class FromBase64 final : public Translated {
 public:
  using Translated::Translated;
  http::Fields* trailers() override { return inner_->trailers(); }

 private:
  Result<> translate(std::string_view bytes, bool last) override {
    // Encoders may break lines, as those of MIME do (RFC 2045 §6.8).
    std::ranges::copy_if(bytes, std::back_inserter(left_), [](char c) { return c != '\r' && c != '\n'; });
    std::string_view rest = left_;
    while (rest.size() >= 4) {
      // Up to the group that holds the next padding; more text may follow behind it.
      const auto padding = rest.find('=');
      const std::size_t whole =
          padding == std::string_view::npos ? rest.size() / 4 * 4 : (padding / 4 + 1) * 4;
      const std::size_t group = std::min(whole, rest.size() / 4 * 4);
      if (!decode(rest.substr(0, group))) return fail(400, Fault::Client, "gRPC-Web: the body is no base64");
      rest.remove_prefix(group);
    }
    left_ = std::string(rest);
    if (last && !left_.empty()) return fail(400, Fault::Client, "gRPC-Web: the body ends within base64");
    return {};
  }
  bool decode(std::string_view text) {
    std::size_t padding = 0;
    while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
    const std::string_view digits = text.substr(0, text.size() - padding);
    if (!std::ranges::all_of(digits,
                             [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; }))
      return false;
    const std::size_t used = out_.size();
    out_.resize(used + text.size() / 4 * 3);
    const int size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out_.data() + used),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (size < 0) return false;
    out_.resize(used + static_cast<std::size_t>(size) - padding);
    return true;
  }

  std::string left_;  // less than a group of four
};

class ToGrpcWeb final : public Translated {
 public:
  ToGrpcWeb(http::BodyPtr inner, bool as_text, http::Fields& sent)
      : Translated(std::move(inner)), sent_(sent), as_text_(as_text) {}

 private:
  Result<> translate(std::string_view bytes, bool last) override {
    append(bytes);
    if (last) append(trailer_frame());
    return {};
  }
  void append(std::string_view bytes) {
    if (as_text_)
      append_base64(out_, bytes);
    else
      out_ += bytes;
  }
  std::string trailer_frame() {
    std::string lines;
    if (const http::Fields* trailers = inner_ ? inner_->trailers() : nullptr)
      for (const http::Field& line : *trailers) {
        lines += lower(line.name) + ": " + std::string(line.value) + "\r\n";
        if (iequals(line.name, "Grpc-Status")) sent_.append(line.name, line.value, line.known);
      }
    std::string frame(1, static_cast<char>(0x80));  // the highest bit: a frame of trailers
    for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(lines.size() >> shift & 0xff);
    return frame + lines;
  }

  http::Fields& sent_;
  bool as_text_;
};

}  // namespace

http::BodyPtr from_base64(http::BodyPtr inner) { return http::BodyPtr(new FromBase64(std::move(inner))); }

http::BodyPtr to_grpc_web(http::BodyPtr inner, bool as_text, http::Fields& sent) {
  return http::BodyPtr(new ToGrpcWeb(std::move(inner), as_text, sent));
}

}  // namespace fairlead::middleware
