// A pattern, a replacement and a text, one per line: whatever they are, the result is bounded and the same
// again.
#include "engine/middleware/go_expand.h"
#include "engine/middleware/redirect_url.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace fairlead::middleware;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = [&] {
    const std::size_t end = input.find('\n');
    const std::string_view taken = input.substr(0, end);
    input.remove_prefix(end == input.npos ? input.size() : end + 1);
    return taken;
  };
  const std::string_view pattern = line();
  const std::string_view replacement = line();
  const auto regex = compile_pattern("regex", pattern);
  if (!regex) return 0;
  const Replacement compiled(*regex, replacement);
  const auto result = compiled.replace_all(input);
  if (result && result->size() > Replacement::kMaxResultBytes) std::abort();
  if (!compiled.matches(input) && (!result || *result != input)) std::abort();
  if (result)
    if (const auto url = normalized_url(*result)) {
      for (const char c : *url)
        if (static_cast<unsigned char>(c) < 0x21 || static_cast<unsigned char>(c) > 0x7e) std::abort();
      if (normalized_url(*url) != url) std::abort();
    }
  return 0;
}
