#include "engine/codec/h2/websocket.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>

namespace fairlead::codec::h2 {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kNonce = 16;  // RFC 6455 §4.1
constexpr std::size_t kKey = 24;    // in base64

}  // namespace

std::string_view new_websocket_key(Arena& arena) {
  std::array<unsigned char, kNonce> nonce{};
  // It only has to differ from what a cache may have stored; OpenSSL ends the process before it runs dry.
  (void)RAND_bytes(nonce.data(), static_cast<int>(nonce.size()));
  std::array<unsigned char, kKey + 1> text{};
  EVP_EncodeBlock(text.data(), nonce.data(), static_cast<int>(nonce.size()));
  return arena.copy({reinterpret_cast<const char*>(text.data()), kKey});
}

std::string websocket_accept(std::string_view key) {
  std::string input(key);
  input += kGuid;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data());
  std::array<unsigned char, 32> text{};
  const int size = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)};
}

}  // namespace fairlead::codec::h2
