#include "engine/schema/file.h"
#include "engine/schema/file_limits.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <memory>
#include <sstream>

namespace fairlead::schema {
namespace {

class TomlBuilder {
 public:
  explicit TomlBuilder(std::shared_ptr<const Place> place) : place_(std::move(place)) {}

  // toml++ itself bounds the depth; the size of the text bounds the number of nodes.
  Node value(const toml::node& from) const {
    Node out;
    if (const toml::table* table = from.as_table()) {
      out = Node::map();
      out.reserve(table->size());
      for (const auto& [key, child] : *table) out.add(std::string(key.str()), value(child));
    } else if (const toml::array* array = from.as_array()) {
      out = Node::list();
      out.reserve(array->size());
      for (const toml::node& child : *array) out.push(value(child));
    } else {
      out = Node::scalar(text(from));
    }
    const toml::source_position begin = from.source().begin;
    out.set_place(place_, static_cast<int>(begin.line), static_cast<int>(begin.column));
    return out;
  }

 private:
  static std::string text(const toml::node& from) {
    if (const auto* string = from.as_string()) return string->get();
    if (const auto* boolean = from.as_boolean()) return boolean->get() ? "true" : "false";
    if (const auto* integer = from.as_integer()) return std::to_string(integer->get());
    if (const auto* real = from.as_floating_point()) return fmt::format("{}", real->get());
    std::ostringstream out;  // dates and times
    from.visit([&out](const auto& node) {
      if constexpr (toml::is_date<decltype(node)> || toml::is_time<decltype(node)> ||
                    toml::is_date_time<decltype(node)>)
        out << node;
    });
    return out.str();
  }

  std::shared_ptr<const Place> place_;
};

}  // namespace

Configured<Node> read_toml(std::string_view text, const std::string& source, const Expand& expand) {
  std::string kept;
  auto prepared = prepare_text(text, source, expand, kept);
  if (!prepared) return std::unexpected(prepared.error());
  try {
    const toml::table table = toml::parse(*prepared, source);
    return TomlBuilder(std::make_shared<const Place>(Place{source, {}, Format::Toml})).value(table);
  } catch (const toml::parse_error& error) {
    const toml::source_position begin = error.source().begin;
    return misconfigured(Origin{source, static_cast<int>(begin.line), static_cast<int>(begin.column)}.text(),
                         std::string(error.description()));
  }
}

}  // namespace fairlead::schema
