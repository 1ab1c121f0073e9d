#pragma once

#include "engine/schema/file.h"

#include <cstddef>

// What both file readers do before parsing, and how far they go.

namespace fairlead::schema {

constexpr std::size_t kMaxFileBytes = 64u << 20;
constexpr std::size_t kMaxFileNodes = 4'000'000;
// What aliases may copy: a file that writes much itself may also repeat much.
constexpr std::size_t kFreeAliasNodes = 50'000;
constexpr std::size_t kAliasNodesPerNode = 20;
constexpr std::size_t kMaxAliasBytes = 64u << 20;
constexpr std::size_t kMaxFileDepth = 60;  // libfyaml itself guarantees 64
// Brackets of YAML that are open at once, those inside of texts included: before libfyaml says anything about
// the outermost, it keeps some 350 bytes for each.
constexpr std::size_t kMaxOpenBrackets = 100'000;

// Checks size and characters, and hands template actions to `expand`. `kept` owns the text when it
// changed. Only UTF-8 without control characters passes: libfyaml 0.7.12 loops forever on `%-\xff`.
Configured<std::string_view> prepare_text(std::string_view text, const std::string& source,
                                          const Expand& expand, std::string& kept);

}  // namespace fairlead::schema
