#pragma once

#include "engine/base/result.h"
#include "engine/schema/node.h"

#include <functional>
#include <string>
#include <string_view>

namespace fairlead::schema {

// Called with the whole text of a file that contains template actions (`{{`); answers the text to read.
using Expand = std::function<Configured<std::string>(std::string_view text)>;

// The default: template actions are an error that names their line.
Configured<std::string> refuse_templates(std::string_view text);
// For install files, where `{{` is part of a value (defaultRule).
Configured<std::string> keep_templates(std::string_view text);

// Each reader fails as a whole when the text cannot be parsed: an element of a file that cannot be
// delimited cannot be trusted either. The error's path is "file:line:column".
// Bounds: 64 MiB of text, 4,000,000 nodes, 1,000,000 of them made by aliases, 60 levels.

// One document. Anchors, aliases and `<<` are resolved; a key given twice is refused. Reads JSON too.
Configured<Node> read_yaml(std::string_view text, const std::string& source,
                           const Expand& expand = refuse_templates);

Configured<Node> read_toml(std::string_view text, const std::string& source,
                           const Expand& expand = refuse_templates);

// Chooses by the ending of `path`: .toml, else .yaml, .yml, .json.
Configured<Node> read_text(std::string_view text, const std::string& path,
                           const Expand& expand = refuse_templates);

// Whether the ending is one that read_text knows.
bool is_readable_file(std::string_view path);

}  // namespace fairlead::schema
