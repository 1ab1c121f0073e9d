// Accept-Encoding and Content-Type as compress reads them.
#include "engine/middleware/accept_encoding.h"
#include "engine/middleware/media_type.h"

#include <array>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead;
  using middleware::Coding;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Arena arena;
  http::Fields fields(arena);
  fields.add("Accept-Encoding", text);
  constexpr std::array kOffered = {Coding::Brotli, Coding::Gzip};
  const auto chosen = middleware::choose_coding(fields, kOffered, Coding::Gzip);
  if (chosen == Coding::Zstd) std::abort();  // was not offered
  if (const auto type = middleware::media_type(text); type && middleware::media_type(*type) != type)
    std::abort();
  return 0;
}
