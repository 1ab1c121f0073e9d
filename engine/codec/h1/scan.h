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

// The same for text that lies in a longer one, [begin, end): the last bytes are looked at together with those
// before them, which is much quicker than one by one.
inline const char* skip_value_bytes_within(const char* begin, const char* at, const char* end) {
#if defined(__SSE2__)
  if (end - begin >= 16) [[likely]] {
    for (; end - at >= 16; at += 16)
      if (const unsigned bad = bad_value_bytes(load16(at))) return at + std::countr_zero(bad);
    const unsigned bad = bad_value_bytes(load16(end - 16)) >> (16 - (end - at));
    return bad != 0 ? at + std::countr_zero(bad) : end;
  }
#endif
  static_cast<void>(begin);
  return skip_value_bytes(at, end);
}

inline const char* skip_target_bytes(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16)
    if (const unsigned bad = bad_target_bytes(load16(at))) return at + std::countr_zero(bad);
#endif
  while (at != end && is_target_byte(*at)) ++at;
  return at;
}

// Skips letters and '-' as long as sixteen bytes are there to look at: what nearly all names consist of.
inline const char* skip_plain_name_bytes(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = load16(at);
    const __m128i from_a = _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i letter = _mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8(25)), from_a);
    const __m128i plain = _mm_or_si128(letter, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
    const auto other = static_cast<unsigned>(_mm_movemask_epi8(plain)) ^ 0xffffU;
    if (other != 0) return at + std::countr_zero(other);
  }
#endif
  static_cast<void>(end);
  return at;
}

}  // namespace fairlead::codec::h1
