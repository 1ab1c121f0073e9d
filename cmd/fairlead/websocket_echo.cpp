#include "cmd/fairlead/websocket_echo.h"

#include <openssl/evp.h>

#include <array>

namespace fairlead::cmd {
namespace {

constexpr std::string_view kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// RFC 6455 §5.2
constexpr unsigned kFin = 0x80;
constexpr unsigned kReserved = 0x70;
constexpr unsigned kOpcode = 0x0f;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kClose = 0x8;
constexpr unsigned kPing = 0x9;
constexpr unsigned kPong = 0xa;
constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kTooBig = 1009;

void append_frame(std::string& out, unsigned first, std::string_view payload) {
  out += static_cast<char>(first);
  const std::uint64_t size = payload.size();
  int length_bytes = 0;
  if (size < 126) {
    out += static_cast<char>(size);
  } else {
    length_bytes = size <= 0xffff ? 2 : 8;
    out += static_cast<char>(length_bytes == 2 ? 126 : 127);
  }
  for (int i = length_bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
  out += payload;
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key).append(kMagic);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr);
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> base64{};
  const int length = ::EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(length)};
}

bool WebSocketEcho::take(std::string_view bytes, std::string& out) {
  input_ += bytes;
  const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(input_[at]); };
  while (input_.size() >= 2) {
    const unsigned first = byte(0);
    const unsigned opcode = first & kOpcode;
    if ((first & kReserved) != 0 || (byte(1) & kMasked) == 0) return close(out, kProtocolError);
    std::uint64_t size = byte(1) & ~kMasked;
    const std::size_t length_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
    const std::size_t head = 2 + length_bytes + 4;
    if (input_.size() < head) break;
    if (length_bytes != 0) size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | byte(2 + i);
    if (size > kMaxFrame) return close(out, kTooBig);
    if (input_.size() < head + size) break;
    std::string payload = input_.substr(head, size);
    for (std::size_t i = 0; i < payload.size(); ++i)
      payload[i] = static_cast<char>(payload[i] ^ input_[head - 4 + i % 4]);
    input_.erase(0, head + size);
    if (opcode >= kClose && (size > 125 || (first & kFin) == 0)) return close(out, kProtocolError);
    if (opcode == kClose) {
      append_frame(out, kFin | kClose, payload.substr(0, 2));
      return false;
    }
    if (opcode == kPing) append_frame(out, kFin | kPong, payload);
    // Text, binary and their continuations go back as they came, so that a message keeps its fragments.
    if (opcode < kClose) append_frame(out, first, payload);
  }
  return true;
}

bool WebSocketEcho::close(std::string& out, std::uint16_t code) {
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  append_frame(out, kFin | kClose, {payload, sizeof payload});
  return false;
}

}  // namespace fairlead::cmd
