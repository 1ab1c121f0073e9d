#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::cmd {

// Sec-WebSocket-Accept for a client's key (RFC 6455 §4.2.2).
std::string websocket_accept(std::string_view key);

// The server's half of a WebSocket that sends every message back (RFC 6455 §5). Bytes in, bytes out.
class WebSocketEcho {
 public:
  static constexpr std::uint64_t kMaxFrame = 1024 * 1024;  // bytes; larger ones close with 1009

  // Takes what the client sent; what is to be sent back is appended to `out`. False when the connection ends
  // after that.
  bool take(std::string_view bytes, std::string& out);

 private:
  bool close(std::string& out, std::uint16_t code);

  std::string input_;
};

}  // namespace fairlead::cmd
