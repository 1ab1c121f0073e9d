// Event lines of an engine, cut at every chunk size the first byte asks for.
#include "providers/docker/events.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::providers::docker;
  if (size == 0) return 0;
  const std::size_t chunk = 1 + data[0] % 64;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  LineSplitter splitter;
  for (std::size_t at = 0; at < text.size(); at += chunk)
    splitter.feed(text.substr(at, chunk), [](std::string_view line) { (void)parse_event(line); });
  return 0;
}
