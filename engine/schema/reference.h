#pragma once

#include "engine/schema/option.h"

#include <functional>
#include <string>
#include <string_view>

namespace fairlead::schema {

// One option of a table, as a reader of documentation needs it.
struct DocumentedOption {
  std::string path;     // "entryPoints.<name>.address"
  std::string type;     // "text", "integer", "list of text", "struct"
  std::string initial;  // default as text; empty when there is none
  const Option* row = nullptr;
};

// Visits every option below a type, structs that may stand alone included, in table order, to a
// depth of 12. Defaults are those of freshly made objects.
void each_option(const TypeInfo& root, const std::function<void(const DocumentedOption&)>& visit,
                 std::string_view prefix = {});

// Markdown table of all options: key, type, default, meaning.
std::string reference_markdown(const TypeInfo& root, std::string_view prefix = {});

// One paragraph per flag, as `--help` prints it.
std::string help_text(const TypeInfo& root);

}  // namespace fairlead::schema
