#include "engine/schema/file.h"
#include "engine/schema/json.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// libfyaml 0.7.12 loses 512 bytes over some broken flow sequences; that is not what is looked for here.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libfyaml"; }

// Any text becomes a tree or an error that says something; never a crash, never without bound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  const auto node = fairlead::schema::read_yaml(text, "fuzz.yaml", fairlead::schema::keep_templates);

  if (node)
    fairlead::schema::node_text(*node);
  else if (node.error().what.empty())
    std::abort();
  return 0;
}
