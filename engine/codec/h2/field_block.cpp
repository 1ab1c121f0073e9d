#include "engine/codec/h2/field_block.h"

#include "engine/base/strings.h"
#include "engine/http/field_names.h"

namespace fairlead::codec::h2 {
namespace {

// "x-served" becomes "X-Served".
std::string_view usual_spelling(std::string_view name, Arena& arena) {
  char* const out = arena.take(name.size());
  for (std::size_t i = 0; i < name.size(); ++i)
    out[i] = i == 0 || name[i - 1] == '-' ? to_upper(name[i]) : name[i];
  return {out, name.size()};
}

void append(http::Fields& fields, std::string_view name, std::string_view value) {
  Arena& arena = fields.arena();
  const http::Name known = http::known_name(name);
  fields.append(known == http::Name::Other ? usual_spelling(name, arena) : http::spelling(known),
                arena.copy(value), known);
}

}  // namespace

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
  fields.reserve(fields.size() + lines_.size());
  each([&](std::string_view name, std::string_view value) { append(fields, name, value); });
}

void FieldBlock::copy_trailers_to(http::Fields& fields) const {
  each([&](std::string_view name, std::string_view value) {
    if (!http::is_forbidden_trailer(name)) append(fields, name, value);
  });
}

}  // namespace fairlead::codec::h2
