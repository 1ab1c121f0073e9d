#pragma once

#include "engine/middleware/accept_encoding.h"

#include <memory>
#include <string>
#include <string_view>

namespace fairlead::middleware {

// One stream of compressed bytes. Belongs to its worker.
class Compressor {
 public:
  enum class Then : unsigned char { GoOn, Flush, Finish };

  virtual ~Compressor() = default;
  // Appends what is ready to `out`; after Flush everything given so far can be read by the receiver. False
  // when memory is short; the stream is then unusable.
  virtual bool write(std::string_view bytes, Then then, std::string& out) = 0;
  // For a new stream; false when it cannot be used again.
  virtual bool rewind() = 0;
};

// Gives the compressor back to its thread: their tables (up to 1 MiB) are costly to get from the kernel anew.
struct ReturnCompressor {
  Coding coding = Coding::Gzip;
  void operator()(Compressor* compressor) const;
};
using CompressorPtr = std::unique_ptr<Compressor, ReturnCompressor>;

// Null when memory is short.
CompressorPtr make_compressor(Coding coding);

}  // namespace fairlead::middleware
