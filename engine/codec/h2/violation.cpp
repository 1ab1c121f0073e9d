#include "engine/codec/h2/violation.h"

namespace fairlead::codec::h2 {
namespace {

// "Invalid HTTP header field was received: frame type: 1, stream: 1, name: [cookie], value: [a=b ]"
constexpr std::string_view kName = "name: [";
constexpr std::string_view kValue = "], value: [";

}  // namespace

std::string_view without_field_value(std::string_view message) {
  const std::size_t name = message.find(kName);
  if (name == message.npos || message.substr(name + kName.size()).starts_with(':')) return message;
  const std::size_t value = message.find(kValue, name);
  return value == message.npos ? message : message.substr(0, value + 1);  // with the bracket
}

}  // namespace fairlead::codec::h2
