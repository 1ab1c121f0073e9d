// Shared by the three sources of providers/template.h only.
#pragma once

#include "providers/template.h"

#include <span>

namespace fairlead::providers {

namespace ast {

struct Operand;
using Command = std::vector<Operand>;   // a function with its arguments, or one value
using Pipeline = std::vector<Command>;  // each result is the last argument of the next command

struct Operand {
  enum class Kind : unsigned char { Literal, Field, Function, Group };
  Kind kind;
  TemplateValue literal;            // Literal
  std::string function;             // Function
  std::vector<std::string> fields;  // Field: `.A.B`; Group: `(…).A`
  Pipeline group;                   // Group
};

}  // namespace ast

struct Template::Node {
  enum class Kind : unsigned char { Text, Print, If };
  Kind kind;
  std::string text;
  ast::Pipeline pipeline;  // Print: the value; If: the condition
  std::vector<Node> then, otherwise;
};

namespace functions {

using Outcome = std::expected<TemplateValue, std::string>;

bool known(std::string_view name);
Outcome call(std::string_view name, std::span<const TemplateValue> arguments);

// The names, for messages.
std::string list();

}  // namespace functions
}  // namespace fairlead::providers
