#pragma once

#include <cstddef>
#include <cstdint>

namespace fairlead {

inline constexpr std::size_t kCacheLine = 64;  // bytes

// Asks for cache lines from `begin` on, which are wanted soon. Any address will do: also those near null.
inline void prefetch(std::uintptr_t begin, std::size_t lines) {
  for (std::size_t line = 0; line < lines; ++line)
    __builtin_prefetch(reinterpret_cast<const void*>(begin + line * kCacheLine));
}
inline void prefetch(const void* begin, std::size_t lines) {
  prefetch(reinterpret_cast<std::uintptr_t>(begin), lines);
}

}  // namespace fairlead
