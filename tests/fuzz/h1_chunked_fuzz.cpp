// Chunked bodies: the cuts between reads change nothing, and what was decoded comes back after encoding.
// The first byte of the input is the size of the reads.
#include "engine/codec/h1/chunked.h"
#include "engine/http/field_names.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace fairlead;
using namespace fairlead::codec::h1;

void demand(bool condition) {
  if (!condition) std::abort();
}

struct Decoded {
  std::string data;
  std::size_t consumed = 0;
  bool done = false;
  bool refused = false;

  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, std::size_t read_size, http::Fields& trailers) {
  ChunkedDecoder decoder(Fault::Client, &trailers);
  Decoded out;
  while (out.consumed < bytes.size() && !out.done) {
    const auto step = decoder.feed(bytes.substr(out.consumed, read_size));
    if (!step) {
      out.refused = true;
      out.consumed = 0;  // how far a reader came depends on the cuts
      return out;
    }
    demand(step->consumed > 0 || step->done);
    demand(step->consumed >= step->data.size());
    out.data += step->data;
    out.consumed += step->consumed;
    out.done = step->done;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Arena arena;
  http::Fields whole_trailers(arena);
  http::Fields cut_trailers(arena);
  const Decoded whole = decode(bytes, std::max<std::size_t>(bytes.size(), 1), whole_trailers);
  const Decoded cut = decode(bytes, std::max<std::size_t>(data[0], 1), cut_trailers);
  demand(whole == cut);
  demand(whole_trailers.size() == cut_trailers.size());
  for (const http::Field& line : whole_trailers) demand(!http::is_forbidden_trailer(line.name));
  if (!whole.done) return 0;

  std::string encoded;
  if (!whole.data.empty()) {
    char head[kMaxChunkHead];
    encoded.assign(head, write_chunk_head(head, whole.data.size()));
    encoded.append(whole.data).append(kChunkEnd);
  }
  demand(append_last_chunk(encoded, whole_trailers));
  http::Fields again_trailers(arena);
  const Decoded again = decode(encoded, encoded.size(), again_trailers);
  demand(again.done && again.data == whole.data && again.consumed == encoded.size());
  demand(again_trailers.size() == whole_trailers.size());
  return 0;
}
