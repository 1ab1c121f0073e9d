#pragma once

#include "engine/schema/file.h"

#include <cstddef>

// What both file readers do before parsing, and how far they go.

namespace fairlead::schema {

constexpr std::size_t kMaxFileBytes = 64u << 20;
constexpr std::size_t kMaxFileNodes = 4'000'000;
constexpr std::size_t kMaxAliasNodes = 1'000'000;
constexpr std::size_t kMaxAliasBytes = 64u << 20;
constexpr std::size_t kMaxFileDepth = 60;  // libfyaml itself guarantees 64

// Checks the size and hands template actions to `expand`. `kept` owns the text when it changed.
inline Configured<std::string_view> prepare_text(std::string_view text, const std::string& source,
                                                 const Expand& expand, std::string& kept) {
  if (text.size() > kMaxFileBytes) return misconfigured(source, "the file is larger than 64 MiB");
  if (!text.contains("{{")) return text;
  auto expanded = expand ? expand(text) : refuse_templates(text);
  if (!expanded) return misconfigured(source + ": " + expanded.error().path, expanded.error().what);
  kept = std::move(*expanded);
  if (kept.size() > kMaxFileBytes)
    return misconfigured(source, "the file is larger than 64 MiB once its templates are expanded");
  return std::string_view(kept);
}

}  // namespace fairlead::schema
