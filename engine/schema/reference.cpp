#include "engine/schema/reference.h"

#include "engine/schema/resolve.h"

#include <fmt/format.h>

namespace fairlead::schema {
namespace {

constexpr std::size_t kDeepestTable = 12;

std::string type_name(const TypeInfo& type) {
  switch (type.kind) {
    case TypeKind::Bool: return "boolean";
    case TypeKind::Int:
    case TypeKind::Int64: return "integer";
    case TypeKind::Real: return "number";
    case TypeKind::Text: return "text";
    case TypeKind::Duration: return "duration";
    case TypeKind::Raw: return "free form";
    case TypeKind::Struct: return "section";
    case TypeKind::Optional: return type_name(type.element());
    case TypeKind::List: return "list of " + type_name(type.element());
    case TypeKind::Map: return "map of " + type_name(type.element());
  }
  return {};
}

std::string initial_text(const TypeInfo& type, const void* object, bool in_list = false) {
  switch (type.kind) {
    case TypeKind::Bool: return *static_cast<const bool*>(object) ? "true" : "false";
    case TypeKind::Int: return std::to_string(*static_cast<const int*>(object));
    case TypeKind::Int64: return std::to_string(*static_cast<const std::int64_t*>(object));
    case TypeKind::Real: return fmt::format("{}", *static_cast<const double*>(object));
    case TypeKind::Text: return *static_cast<const std::string*>(object);
    case TypeKind::Duration: return print_duration(*static_cast<const Duration*>(object));
    case TypeKind::Optional:
    case TypeKind::List: {
      if (in_list) return {};
      struct Joined {
        const TypeInfo& element;
        std::string text;
      } joined{type.element(), {}};
      type.each(object, &joined, [](void* context, std::string_view, const void* element) {
        auto& to = *static_cast<Joined*>(context);
        to.text += (to.text.empty() ? "" : ",") + initial_text(to.element, element, true);
      });
      return joined.text;
    }
    default: return {};
  }
}

class Walker {
 public:
  explicit Walker(const std::function<void(const DocumentedOption&)>& visit) : visit_(visit) {}

  // object: where the defaults stand; null when nothing is made by default.
  void below(const TypeInfo& type, const std::string& prefix, const void* object, std::size_t depth) {
    if (depth > kDeepestTable) return;
    if (type.kind == TypeKind::Optional) {
      const void* made = nullptr;
      if (object)
        type.each(object, &made,
                  [](void* to, std::string_view, const void* e) { *static_cast<const void**>(to) = e; });
      return below(type.element(), prefix, made, depth);
    }
    if (type.kind == TypeKind::List) return below(type.element(), prefix, nullptr, depth);
    if (type.kind == TypeKind::Map) return below(type.element(), prefix + ".<name>", nullptr, depth + 1);
    if (type.kind != TypeKind::Struct) return;
    const void* defaults = object ? object : type.defaults();
    for (const Option& row : type.rows()) one(row, prefix, row.of(defaults), depth);
  }

 private:
  void one(const Option& row, const std::string& prefix, const void* member, std::size_t depth) {
    if (row.traits.out_of_scope) return;
    const TypeInfo& type = row.type();
    const TypeInfo& core = inner(type);
    std::string path = (prefix.empty() ? "" : prefix + '.') + row.name;
    const bool is_list_of_structs = type.kind == TypeKind::List && core.kind == TypeKind::Struct;
    if (is_list_of_structs) path += "[n]";
    const bool is_leaf = core.kind != TypeKind::Struct && !(core.kind == TypeKind::Map && holds_struct(core));
    if (is_leaf || row.traits.allow_empty)
      visit_({core.kind == TypeKind::Map ? path + ".<name>" : path,
              type_name(core.kind == TypeKind::Map ? core.element() : type), initial_text(type, member),
              &row});
    if (!is_leaf) below(type, path, member, depth + 1);
  }

  static bool holds_struct(const TypeInfo& map) { return inner(map.element()).kind == TypeKind::Struct; }

  const std::function<void(const DocumentedOption&)>& visit_;
};

std::string remarks(const Traits& traits) {
  std::string out;
  if (traits.choices) {
    std::string choices = traits.choices;
    for (std::size_t at = 0; (at = choices.find('|', at)) != std::string::npos; at += 2)
      choices.replace(at, 1, ", ");
    out += fmt::format(" One of {}.", choices);
  }
  if (traits.allow_empty) out += " May stand alone.";
  if (traits.not_in_labels) out += " Not as a label.";
  if (traits.alias) out += fmt::format(" Also `{}`.", traits.alias);
  if (traits.deprecated)
    out += traits.replaced_by ? fmt::format(" Deprecated: use `{}`.", traits.replaced_by) : " Deprecated.";
  if (traits.not_yet) out += " Not yet in effect.";
  return out;
}

// A bar would end the cell.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

}  // namespace

void each_option(const TypeInfo& root, const std::function<void(const DocumentedOption&)>& visit,
                 std::string_view prefix) {
  Walker(visit).below(root, std::string(prefix), nullptr, 0);
}

std::string reference_markdown(const TypeInfo& root, std::string_view prefix) {
  std::string out = "| Option | Type | Default | Meaning |\n|---|---|---|---|\n";
  each_option(
      root,
      [&out](const DocumentedOption& entry) {
        const std::string initial = entry.initial.empty() ? "" : fmt::format("`{}`", entry.initial);
        out += fmt::format("| `{}` | {} | {} | {} |\n", entry.path, entry.type, cell(initial),
                           cell(entry.row->sentence + remarks(entry.row->traits)));
      },
      prefix);
  return out;
}

std::string help_text(const TypeInfo& root) {
  std::string out;
  each_option(root, [&out](const DocumentedOption& entry) {
    const std::string initial = entry.initial.empty() ? "" : fmt::format(" (default {})", entry.initial);
    out += fmt::format("  --{}  {}{}\n        {}{}\n", entry.path, entry.type, initial, entry.row->sentence,
                       remarks(entry.row->traits));
  });
  return out;
}

}  // namespace fairlead::schema
