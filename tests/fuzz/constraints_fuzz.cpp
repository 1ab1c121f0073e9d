// Constraint expressions over labels.
#include "providers/docker/constraints.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::providers::docker;
  static const Labels labels{{"tier", "front"}, {"env", "prod"}};
  const auto made = Constraints::parse({reinterpret_cast<const char*>(data), size});
  if (made) (void)made->allow(labels);
  return 0;
}
