#include "engine/admin/support_dump.h"

#include "engine/base/assert.h"
#include "engine/middleware/compressor.h"

#include <fmt/format.h>

#include <cstdint>

namespace fairlead::admin {
namespace {

constexpr std::size_t kBlock = 512;

// A field of the header: text, filled up with NUL.
void put(std::string& block, std::size_t at, std::string_view text) { block.replace(at, text.size(), text); }

// Offsets as in pax(1), "ustar Interchange Format"; numbers are octal.
std::string header(const DumpedFile& file, std::int64_t unix_seconds) {
  FL_ASSERT(file.name.size() <= 100, "names are our own and short");
  std::string block(kBlock, '\0');
  put(block, 0, file.name);
  put(block, 100, "0000644");
  put(block, 108, "0000000");
  put(block, 116, "0000000");
  put(block, 124, fmt::format("{:011o}", file.text.size()));
  put(block, 136, fmt::format("{:011o}", unix_seconds));
  put(block, 148, "        ");  // counts as blanks in its own sum
  put(block, 156, "0");
  put(block, 257,
      {"ustar\0"
       "00",
       8});
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(block, 148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

}  // namespace

std::string tar_gz(std::span<const DumpedFile> files, std::int64_t unix_seconds) {
  const middleware::CompressorPtr compressor = middleware::make_compressor(middleware::Coding::Gzip);
  std::string out;
  if (!compressor) return out;
  using Then = middleware::Compressor::Then;
  const std::string zeros(2 * kBlock, '\0');
  bool good = true;
  for (const DumpedFile& file : files) {
    const std::size_t padding = (kBlock - file.text.size() % kBlock) % kBlock;
    good = good && compressor->write(header(file, unix_seconds), Then::GoOn, out) &&
           compressor->write(file.text, Then::GoOn, out) &&
           compressor->write(std::string_view(zeros).substr(0, padding), Then::GoOn, out);
  }
  good = good && compressor->write(zeros, Then::Finish, out);  // two empty blocks end an archive
  return good ? out : std::string();
}

}  // namespace fairlead::admin
