#include "acme/encoding.h"

#include "acme/openssl.h"
#include "engine/base/assert.h"
#include "engine/base/strings.h"

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace fairlead::acme {

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string clean;
  clean.reserve(text.size() + 3);
  for (const char c : text)
    if (c != '\n' && c != '\r') clean += c;
  while (clean.ends_with('=')) clean.pop_back();
  // OpenSSL would skip white space at both ends without a word.
  const bool known =
      std::ranges::all_of(clean, [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; });
  if (!known || clean.size() % 4 == 1) return std::nullopt;
  const std::size_t padding = (4 - clean.size() % 4) % 4;
  clean.append(padding, '=');
  std::string out(clean.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(clean),
                                   static_cast<int>(clean.size()));
  if (size < 0) return std::nullopt;
  // OpenSSL counts the padding as zero bytes.
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

std::string base64url(std::string_view bytes) {
  std::string out = base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string plain(text);
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  return from_base64(plain);
}

std::string sha256(std::string_view bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytes_of(bytes), bytes.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(bytes), bytes.size(), digest.data(),
       &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  const int good = RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count));
  FL_ASSERT(good == 1, "the system has randomness");
  return out;
}

}  // namespace fairlead::acme
