#include "engine/middleware/keyed_hash.h"

#include "engine/base/assert.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <string>

namespace fairlead::middleware {

KeyedHash::KeyedHash() {
  FL_ASSERT(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1, "the system gives random bytes");
}

const KeyedHash& KeyedHash::shared() {
  static const KeyedHash hash;
  return hash;
}

KeyedHash::Digest KeyedHash::of(std::initializer_list<std::string_view> parts) const {
  std::string text;
  for (const std::string_view part : parts) {
    for (int shift = 56; shift >= 0; shift -= 8)
      text += static_cast<char>(std::uint64_t{part.size()} >> shift & 0xff);
    text += part;
  }
  Digest digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  OPENSSL_cleanse(text.data(), text.size());
  return digest;
}

}  // namespace fairlead::middleware
