// Response heads: refused with 502, or understood so that what is written to the client reads the same.
#include "engine/codec/h1/response_parser.h"
#include "engine/codec/h1/writer.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace fairlead;
using namespace fairlead::codec::h1;

void demand(bool condition) {
  if (!condition) std::abort();
}

void write_and_read_again(const http::ResponseHead& head, std::string_view method,
                          const ResponseFacts& facts) {
  Framing framing;
  if (head.chunked) framing.body = BodyFraming::Chunked;
  if (head.content_length) framing = {.body = BodyFraming::Length, .length = *head.content_length};
  std::string room(response_head_size(head, framing), '\0');
  const char* end = write_response_head(room.data(), head, framing);
  demand(end != nullptr && end <= room.data() + room.size());
  const std::string_view bytes(room.data(), static_cast<std::size_t>(end - room.data()));

  Arena arena;
  http::ResponseHead again(arena);
  ResponseFacts facts_again;
  demand(parse_response_head(bytes, {.max_head_bytes = SIZE_MAX}, method, again, &facts_again).has_value());
  demand(again.status == head.status && again.content_length == head.content_length);
  demand(facts_again.body == facts.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const std::string_view method : {"GET", "HEAD"}) {
    Arena arena;
    http::ResponseHead head(arena);
    ResponseFacts facts;
    const Result<> parsed = parse_response_head(input, kResponseLimits, method, head, &facts);
    if (!parsed) {
      demand(parsed.error().status == 502 && parsed.error().fault == Fault::Upstream);
      continue;
    }
    demand(head.status >= 100 && head.status <= 599);
    demand(!(head.chunked && head.content_length));
    demand(method == "GET" || facts.body == BodyKind::None);
    write_and_read_again(head, method, facts);
  }
  return 0;
}
