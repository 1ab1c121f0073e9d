#include "engine/exchange/request_id.h"

#include "engine/base/arena.h"
#include "engine/base/strings.h"
#include "engine/exchange/exchange.h"

#include <algorithm>
#include <random>

namespace fairlead::exchange {
namespace {

constexpr std::size_t kMaxBytes = 128;

bool is_id_byte(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("-._~+/=:").find(c) != std::string_view::npos;
}

}  // namespace

std::string_view new_request_id(Arena& arena) {
  thread_local std::mt19937_64 random{(std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()};
  constexpr std::string_view kDigits = "0123456789abcdef";
  char* const out = arena.take(32);
  for (int half = 0; half < 2; ++half) {
    std::uint64_t bits = random();
    for (int i = 0; i < 16; ++i, bits >>= 4) out[half * 16 + i] = kDigits[bits & 15];
  }
  return {out, 32};
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxBytes && std::ranges::all_of(text, is_id_byte);
}

std::string_view request_id(Exchange& x) {
  const std::string_view given = x.request.fields.get("X-Request-Id");
  return is_request_id(given) ? given : new_request_id(x.arena());
}

}  // namespace fairlead::exchange
