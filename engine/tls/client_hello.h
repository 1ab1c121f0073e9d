#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::tls {

// What a client says before anything is decided (RFC 8446 §4.1.2).
struct ClientHello {
  std::string server_name;            // SNI, lower case, without a trailing dot; empty: none
  std::vector<std::string> alpn;      // offered protocols, the client's order
  std::uint16_t highest_version = 0;  // 0x0304 is TLS 1.3
  bool takes_ecdsa = false;           // signature schemes, or the suites of clients that send none
  bool takes_rsa = false;

  bool offers(std::string_view protocol) const;
};

enum class HelloStatus : std::uint8_t { NeedMore, NotTls, Malformed, Parsed };

struct HelloResult {
  HelloStatus status = HelloStatus::NeedMore;
  ClientHello hello;  // of Parsed
  std::string why;    // of Malformed
};

// The whole message must be there within this: post-quantum key shares and long lists fit several times.
inline constexpr std::size_t kMaxHelloBytes = 16 * 1024;

// Reads the ClientHello at the beginning of `bytes`, which may be cut anywhere and spread over any number of
// records (CVE-2026-32305: options must not be chosen before the name is known). The bytes are not consumed.
HelloResult parse_client_hello(std::string_view bytes);

}  // namespace fairlead::tls
