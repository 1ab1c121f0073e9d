#include "engine/middleware/compressor.h"

#include "engine/base/memory_budget.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace fairlead::middleware {
namespace {

// Chosen by measurement (docs/performance.md, "Compression"): more costs 1.3 to 4 times the time and saves
// one point of size at most. Windows are small, so that many slow clients do not cost many megabytes.
constexpr int kGzipLevel = 4;
constexpr int kBrotliQuality = 3;
constexpr int kBrotliWindowBits = 18;
constexpr int kZstdLevel = 3;
constexpr int kZstdWindowBits = 18;

constexpr std::size_t kStep = 16 * 1024;  // of output; 2 to 64 KiB cost the same
constexpr std::size_t kKeptPerThread = 8;
// What one of each coding holds while it works, measured: in the budget of buffered bytes, since it is held
// for as long as its client does not read.
constexpr std::array<std::size_t, 3> kHeld = {256 * 1024, 640 * 1024, 1024 * 1024};

class Gzip final : public Compressor {
 public:
  ~Gzip() override {
    if (usable_) deflateEnd(&stream_);
  }
  bool start() {
    // 16: a gzip wrapper around deflate's 15 bits of window.
    usable_ = deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    return usable_;
  }
  bool write(std::string_view bytes, Then then, std::string& out) override {
    constexpr std::array<int, 3> kFlush = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (true) {
      const std::size_t used = out.size();
      out.resize(used + kStep);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + used);
      stream_.avail_out = kStep;
      const int result = deflate(&stream_, kFlush[static_cast<std::size_t>(then)]);
      out.resize(used + kStep - stream_.avail_out);
      if (result == Z_STREAM_END) return true;
      // Z_BUF_ERROR only says that there was nothing left to do.
      if (result != Z_OK && result != Z_BUF_ERROR) return false;
      if (stream_.avail_out > 0 && then != Then::Finish) return true;
    }
  }
  bool rewind() override { return deflateReset(&stream_) == Z_OK; }

 private:
  z_stream stream_{};
  bool usable_ = false;
};

class Brotli final : public Compressor {
 public:
  ~Brotli() override {
    if (state_) BrotliEncoderDestroyInstance(state_);
  }
  bool start() {
    state_ = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
    return state_ && BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, kBrotliQuality) &&
           BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, kBrotliWindowBits);
  }
  bool write(std::string_view bytes, Then then, std::string& out) override {
    constexpr std::array<BrotliEncoderOperation, 3> kOperation = {
        BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH};
    std::size_t left = bytes.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());
    do {
      std::size_t room = 0;
      if (!BrotliEncoderCompressStream(state_, kOperation[static_cast<std::size_t>(then)], &left, &next,
                                       &room, nullptr, nullptr))
        return false;
      std::size_t ready = 0;
      const std::uint8_t* output = BrotliEncoderTakeOutput(state_, &ready);
      out.append(reinterpret_cast<const char*>(output), ready);
    } while (left > 0 || BrotliEncoderHasMoreOutput(state_));
    return true;
  }
  bool rewind() override { return false; }

 private:
  BrotliEncoderState* state_ = nullptr;
};

class Zstd final : public Compressor {
 public:
  ~Zstd() override { ZSTD_freeCCtx(context_); }
  bool start() {
    context_ = ZSTD_createCCtx();
    return context_ && !ZSTD_isError(ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kZstdLevel)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, kZstdWindowBits));
  }
  bool write(std::string_view bytes, Then then, std::string& out) override {
    constexpr std::array<ZSTD_EndDirective, 3> kDirective = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (true) {
      const std::size_t used = out.size();
      out.resize(used + kStep);
      ZSTD_outBuffer to{out.data() + used, kStep, 0};
      const std::size_t left =
          ZSTD_compressStream2(context_, &to, &in, kDirective[static_cast<std::size_t>(then)]);
      out.resize(used + to.pos);
      if (ZSTD_isError(left)) return false;
      if (then == Then::GoOn ? in.pos == in.size : left == 0) return true;
    }
  }
  bool rewind() override { return !ZSTD_isError(ZSTD_CCtx_reset(context_, ZSTD_reset_session_only)); }

 private:
  ZSTD_CCtx* context_ = nullptr;
};

// Rewound ones of this thread, by coding.
thread_local std::array<std::vector<std::unique_ptr<Compressor>>, 3> kept;

template <class T>
Compressor* start() {
  auto made = std::make_unique<T>();
  return made->start() ? made.release() : nullptr;
}

}  // namespace

void ReturnCompressor::operator()(Compressor* compressor) const {
  std::unique_ptr<Compressor> owned(compressor);
  MemoryBudget::instance().remove(kHeld[static_cast<std::size_t>(coding)]);
  auto& pool = kept[static_cast<std::size_t>(coding)];
  if (pool.size() < kKeptPerThread && owned->rewind()) pool.push_back(std::move(owned));
}

CompressorPtr make_compressor(Coding coding) {
  if (MemoryBudget::instance().exhausted()) return nullptr;
  auto& pool = kept[static_cast<std::size_t>(coding)];
  Compressor* made = nullptr;
  if (!pool.empty()) {
    made = pool.back().release();
    pool.pop_back();
  } else {
    switch (coding) {
      case Coding::Gzip: made = start<Gzip>(); break;
      case Coding::Brotli: made = start<Brotli>(); break;
      case Coding::Zstd: made = start<Zstd>(); break;
    }
  }
  if (made) MemoryBudget::instance().add(kHeld[static_cast<std::size_t>(coding)]);
  return {made, ReturnCompressor{coding}};
}

}  // namespace fairlead::middleware
