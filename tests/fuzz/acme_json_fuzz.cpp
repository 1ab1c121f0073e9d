// An acme.json, as anybody may have left it. What was read is written and read again.
#include "acme/state_json.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::acme;
  const auto state = read_state({reinterpret_cast<const char*>(data), size});
  if (!state) return 0;
  const std::string once = print_state(*state);
  const auto again = read_state(once);
  if (!again || print_state(*again) != once) std::abort();
  return 0;
}
