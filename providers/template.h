#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fairlead::providers {

using TemplateList = std::vector<std::string>;
using TemplateMap = std::map<std::string, std::string, std::less<>>;

inline constexpr std::string_view kNoValue = "<no value>";  // how Go prints nothing

// What an expression of a template yields.
struct TemplateValue {
  std::variant<std::monostate, bool, std::int64_t, std::string, TemplateList, TemplateMap> is;

  bool truth() const;        // false for nothing, false, 0 and everything empty
  std::string text() const;  // as Go prints it
};

// The part of Go's text/template that rules and files may use: fields, pipes, parentheses, if/else/end,
// comments, trim markers, and the functions of template_functions.cpp. Anything else is an error that names
// it.
//
//   auto rule = Template::parse("Host(`{{ normalize .Name }}.example.com`)");
//   rule->render({{"Name", {"web"}}});
class Template {
 public:
  using Fields = std::map<std::string, TemplateValue, std::less<>>;
  struct Node;

  // The error names the line and the word: `line 3: "now" is not supported …`.
  static std::expected<Template, std::string> parse(std::string_view text);

  // Fails for unknown fields, wrong arguments, or more than 16 MiB of output.
  std::expected<std::string, std::string> render(const Fields& fields) const;

 private:
  std::shared_ptr<const std::vector<Node>> nodes_;
};

}  // namespace fairlead::providers
