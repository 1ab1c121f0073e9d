// Request heads: whatever comes is refused or understood in one way only. What was understood is written as
// for an origin and read again: both readings must agree, and canonical forms must be stable.
#include "engine/codec/h1/request_parser.h"
#include "engine/codec/h1/writer.h"
#include "engine/http/canonical.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace fairlead;
using namespace fairlead::codec::h1;

void demand(bool condition) {
  if (!condition) std::abort();
}

void write_and_read_again(const http::RequestHead& head) {
  Framing framing;
  if (head.chunked) framing.body = BodyFraming::Chunked;
  if (head.content_length) framing = {.body = BodyFraming::Length, .length = *head.content_length};
  std::string room(request_head_size(head, head.authority, framing), '\0');
  const char* end = write_request_head(room.data(), head, head.authority, framing);
  demand(end != nullptr && end <= room.data() + room.size());
  const std::string_view bytes(room.data(), static_cast<std::size_t>(end - room.data()));

  std::size_t scanned = 0;
  demand(find_head_end(bytes, scanned) == bytes.size());
  Arena arena;
  http::RequestHead again(arena);
  const bool read =
      parse_request_head(bytes, {.max_head_bytes = SIZE_MAX, .max_target = SIZE_MAX}, again).has_value();
  // HTTP/1.0 may come without a host; an origin gets an empty one, which our own rules refuse.
  if (head.authority.empty()) return;
  demand(read);
  demand(again.method == head.method && again.path == head.path && again.query == head.query);
  demand(again.authority == head.authority);
  demand(again.content_length == head.content_length && again.chunked == head.chunked);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);

  // Found in one go or byte by byte, the head ends at the same place.
  std::size_t scanned = 0;
  const std::size_t end = find_head_end(input, scanned);
  std::size_t dripped = 0;
  std::size_t found = kNoHead;
  for (std::size_t have = 0; have <= input.size() && have < 4096 && found == kNoHead; ++have)
    found = find_head_end(input.substr(0, have), dripped);
  demand(found == end || input.size() >= 4096);
  (void)check_partial_head(input, {});

  for (const std::string_view bytes : {input, input.substr(0, end == kNoHead ? 0 : end)}) {
    Arena arena;
    http::RequestHead head(arena);
    RequestFacts facts;
    const Result<> parsed = parse_request_head(bytes, {}, head, &facts);
    if (!parsed) {
      demand(parsed.error().status >= 400 && parsed.error().status <= 505 &&
             parsed.error().fault == Fault::Client);
      continue;
    }
    demand(!(head.chunked && head.content_length));
    demand(head.upgrade.empty() || !head.has_body());
    if (!http::canonicalize(head, {})) continue;
    demand(head.path == "*" || http::is_clean_path(head.path));
    std::string scratch;
    (void)http::matching_path(head.path, scratch);
    write_and_read_again(head);
  }
  return 0;
}
