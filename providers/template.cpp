#include "providers/template.h"

#include "engine/base/strings.h"
#include "providers/template_nodes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace fairlead::providers {
namespace {

using ast::Command;
using ast::Operand;
using ast::Pipeline;
using functions::Outcome;

constexpr std::size_t kMaxOutput = 16 << 20;  // bytes

template <class... F>
struct Visitor : F... {
  using F::operator()...;
};

// As in Go, every field of what is absent is absent too: .Labels.com.example, which finds no label with dots.
Outcome field_of(const TemplateValue& value, const std::string& name) {
  if (std::holds_alternative<std::monostate>(value.is)) return value;
  if (const auto* map = std::get_if<TemplateMap>(&value.is)) {
    const auto found = map->find(name);
    if (found == map->end()) return TemplateValue{};
    return TemplateValue{found->second};
  }
  // sprig's split yields a map with the keys _0, _1, …
  if (const auto* list = std::get_if<TemplateList>(&value.is); list != nullptr && name.starts_with('_')) {
    const auto at = parse_digits(std::string_view(name).substr(1));
    if (!at || *at >= list->size()) return TemplateValue{};
    return TemplateValue{(*list)[*at]};
  }
  return std::unexpected(fmt::format("{} has no field .{}", value.text().substr(0, 40), name));
}

class Renderer {
 public:
  explicit Renderer(const Template::Fields& fields) : fields_(fields) {}

  std::expected<void, std::string> run(const std::vector<Template::Node>& nodes) {
    for (const Template::Node& node : nodes) {
      if (node.kind == Template::Node::Kind::Text) {
        out_ += node.text;
      } else {
        const Outcome value = evaluate(node.pipeline);
        if (!value) return std::unexpected(value.error());
        if (node.kind == Template::Node::Kind::Print) {
          out_ += value->text();
        } else if (auto done = run(value->truth() ? node.then : node.otherwise); !done) {
          return done;
        }
      }
      if (out_.size() > kMaxOutput) return std::unexpected("the result is larger than 16 MiB");
    }
    return {};
  }

  std::string take() { return std::move(out_); }

 private:
  Outcome evaluate(const Pipeline& pipeline) const {
    std::optional<TemplateValue> piped;
    for (const Command& command : pipeline) {
      Outcome value = run_command(command, piped);
      if (!value) return value;
      piped = std::move(*value);
    }
    return piped.value_or(TemplateValue{});
  }

  Outcome run_command(const Command& command, const std::optional<TemplateValue>& piped) const {
    if (command[0].kind != Operand::Kind::Function) return value_of(command[0]);
    std::vector<TemplateValue> arguments;
    for (std::size_t i = 1; i < command.size(); ++i) {
      Outcome value = value_of(command[i]);
      if (!value) return value;
      arguments.push_back(std::move(*value));
    }
    if (piped) arguments.push_back(*piped);
    return functions::call(command[0].function, arguments);
  }

  Outcome value_of(const Operand& operand) const {
    Outcome value = operand.literal;
    std::size_t from = 0;
    if (operand.kind == Operand::Kind::Group) {
      value = evaluate(operand.group);
    } else if (operand.kind == Operand::Kind::Field) {
      const auto found = fields_.find(operand.fields[0]);
      if (found == fields_.end())
        return std::unexpected(fmt::format("there is no field .{} here", operand.fields[0]));
      value = found->second;
      from = 1;
    }
    for (std::size_t i = from; value && i < operand.fields.size(); ++i)
      value = field_of(*value, operand.fields[i]);
    return value;
  }

  const Template::Fields& fields_;
  std::string out_;
};

}  // namespace

bool TemplateValue::truth() const {
  return std::visit(
      Visitor{[](std::monostate) { return false; }, [](bool b) { return b; },
              [](std::int64_t n) { return n != 0; }, [](const auto& many) { return !many.empty(); }},
      is);
}

std::string TemplateValue::text() const {
  return std::visit(
      Visitor{[](std::monostate) { return std::string(kNoValue); },
              [](bool b) { return std::string(b ? "true" : "false"); },
              [](std::int64_t n) { return fmt::format("{}", n); }, [](const std::string& s) { return s; },
              [](const TemplateList& list) { return fmt::format("[{}]", fmt::join(list, " ")); },
              [](const TemplateMap& map) {
                std::string out = "map[";
                for (const auto& [key, value] : map) out += (out.size() > 4 ? " " : "") + key + ":" + value;
                return out + "]";
              }},
      is);
}

std::expected<std::string, std::string> Template::render(const Fields& fields) const {
  Renderer renderer(fields);
  if (auto done = renderer.run(*nodes_); !done) return std::unexpected(done.error());
  return renderer.take();
}

}  // namespace fairlead::providers
