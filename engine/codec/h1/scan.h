#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace fairlead::codec::h1 {

// Bytes that end a field value or may not stand in one: controls but HTAB, and DEL (RFC 9110 §5.5).
constexpr bool is_value_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

// Bytes that end a request target or may not stand in one: controls, space, DEL, and '#' (RFC 9112 §3.2).
constexpr bool is_target_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && byte != '#';
}

#if defined(__SSE2__)
inline __m128i load16(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

// One bit for each of 16 bytes that is no value byte.
inline unsigned bad_value_bytes(__m128i bytes) {
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del)));
}

inline unsigned bad_target_bytes(__m128i bytes) {
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x20)), bytes);
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  const __m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, del), hash)));
}
#endif

// First byte in [at, end) that is no value byte; `end` when there is none.
inline const char* skip_value_bytes(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16)
    if (const unsigned bad = bad_value_bytes(load16(at))) return at + std::countr_zero(bad);
#endif
  while (at != end && is_value_byte(*at)) ++at;
  return at;
}

inline const char* skip_target_bytes(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16)
    if (const unsigned bad = bad_target_bytes(load16(at))) return at + std::countr_zero(bad);
#endif
  while (at != end && is_target_byte(*at)) ++at;
  return at;
}

}  // namespace fairlead::codec::h1
