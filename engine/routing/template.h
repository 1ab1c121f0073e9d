#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace fairlead::routing {

// The old syntax writes patterns as templates: `{sub:[a-z]+}.example.com`, `/users/{id}/`. A part in braces
// matches its expression, or without one whatever does not cross a separator; the rest is literal.
enum class TemplateKind : std::uint8_t { Host, Path, PathPrefix, Value };

// Whether the text has a part in braces at all.
bool is_template(std::string_view text);

// The regular expression that means the same. Errors: what is wrong with the braces, in words.
std::expected<std::string, std::string> template_pattern(std::string_view text, TemplateKind kind);

}  // namespace fairlead::routing
