#include "engine/codec/h2/websocket.h"

#include "engine/base/base64.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>

namespace fairlead::codec::h2 {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kNonce = 16;  // RFC 6455 §4.1

}  // namespace

std::string_view new_websocket_key(Arena& arena) {
  std::array<unsigned char, kNonce> nonce{};
  // It only has to differ from what a cache may have stored; OpenSSL ends the process before it runs dry.
  (void)RAND_bytes(nonce.data(), static_cast<int>(nonce.size()));
  return arena.copy(base64(nonce));
}

std::string websocket_accept(std::string_view key) {
  std::string input(key);
  input += kGuid;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data());
  return base64(digest);
}

}  // namespace fairlead::codec::h2
