#include "engine/codec/h2/field_block.h"

#include "engine/http/field_names.h"

namespace fairlead::codec::h2 {

void FieldBlock::add(std::string_view name, std::string_view value) {
  text_.append(name).append(value);
  lines_.push_back({static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())});
}

void FieldBlock::clear() {
  status = 0;
  text_.clear();
  lines_.clear();
}

template <class Take>
void FieldBlock::each(const Take& take) const {
  std::string_view rest = text_;
  for (const Line& line : lines_) {
    take(rest.substr(0, line.name), rest.substr(line.name, line.value));
    rest.remove_prefix(line.name + line.value);
  }
}

void FieldBlock::copy_to(http::Fields& fields) const {
  Arena& arena = fields.arena();
  fields.reserve(fields.size() + lines_.size());
  each([&](std::string_view name, std::string_view value) {
    const http::Name known = http::known_name(name);
    fields.append(known == http::Name::Other ? arena.copy(name) : http::spelling(known), arena.copy(value),
                  known);
  });
}

void FieldBlock::copy_trailers_to(http::Fields& fields) const {
  each([&](std::string_view name, std::string_view value) {
    if (!http::is_forbidden_trailer(name)) fields.add(name, value);
  });
}

}  // namespace fairlead::codec::h2
