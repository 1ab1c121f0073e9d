#include "engine/schema/key.h"
#include "engine/schema/labels.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// Each line is a label, `key=value`. Whatever they are: no crash, and one that cannot be read is told.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  fairlead::schema::Labels labels;
  while (!text.empty() && labels.size() < 256) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + (line.size() < text.size() ? 1 : 0));
    const std::size_t equals = line.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : line.substr(equals + 1);
    labels.insert_or_assign(std::string(line.substr(0, equals)), std::string(value));
  }

  fairlead::schema::Problems problems;
  const fairlead::schema::Node node = fairlead::schema::read_labels(labels, "container fuzz", problems);

  if (!node.is_map() || problems.size() > labels.size()) std::abort();
  for (const auto& [key, value] : labels) {
    const fairlead::schema::Key split = fairlead::schema::split_key(key);
    if (split.segments.size() > 32) std::abort();
  }
  return 0;
}
