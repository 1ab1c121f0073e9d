#include "engine/tls/client_hello.h"

#include "engine/base/strings.h"

#include <algorithm>
#include <optional>

namespace fairlead::tls {
namespace {

constexpr std::uint8_t kHandshakeRecord = 0x16;
constexpr std::uint8_t kClientHello = 1;
constexpr std::size_t kMaxRecord = 16 * 1024;  // of plaintext, RFC 8446 §5.1
constexpr std::uint16_t kServerName = 0;
constexpr std::uint16_t kSignatureAlgorithms = 13;
constexpr std::uint16_t kAlpn = 16;
constexpr std::uint16_t kSupportedVersions = 43;

std::uint8_t byte(char c) { return static_cast<std::uint8_t>(c); }

// Takes from the front; once something was too short, everything after it is empty and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool empty() const { return bytes_.empty(); }
  std::string_view take(std::size_t count) {
    if (bytes_.size() < count) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::uint32_t number(std::size_t width) {
    std::uint32_t value = 0;
    for (const char c : take(width)) value = value << 8 | byte(c);
    return value;
  }
  // A vector with a length of `width` bytes in front (RFC 8446 §3.4).
  Reader vector(std::size_t width) {
    Reader inner(take(number(width)));
    inner.ok_ = ok_;
    return inner;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

bool read_server_name(Reader list, ClientHello& hello) {
  Reader names = list.vector(2);
  while (names.ok() && !names.empty()) {
    const std::uint32_t type = names.number(1);
    const std::string_view name = names.vector(2).rest();
    if (!names.ok()) return false;
    if (type != 0 || !hello.server_name.empty()) continue;
    // A name with a NUL or a space would mean different things to those who compare it (RFC 6066 §3: ASCII).
    if (name.empty() || name.size() > 255) return false;
    for (const char c : name)
      if (byte(c) <= 0x20 || byte(c) >= 0x7f) return false;
    hello.server_name = lower(name);
    if (hello.server_name.ends_with('.')) hello.server_name.pop_back();
  }
  return names.ok();
}

bool read_alpn(Reader list, ClientHello& hello) {
  Reader protocols = list.vector(2);
  while (protocols.ok() && !protocols.empty()) {
    const std::string_view protocol = protocols.vector(1).rest();
    if (!protocols.ok() || protocol.empty()) return false;
    hello.alpn.emplace_back(protocol);
  }
  return protocols.ok();
}

// SignatureScheme (RFC 8446 §4.2.3); before TLS 1.3 the low byte is the algorithm: 1 RSA, 3 ECDSA.
bool read_signatures(Reader list, ClientHello& hello) {
  Reader schemes = list.vector(2);
  while (schemes.ok() && !schemes.empty()) {
    const std::uint32_t scheme = schemes.number(2);
    const std::uint32_t low = scheme & 0xff;
    const bool pss = scheme >= 0x0804 && scheme <= 0x0806;
    hello.takes_ecdsa |= low == 3 && scheme >> 8 <= 6;
    hello.takes_rsa |= pss || (low == 1 && scheme >> 8 <= 6);
  }
  return schemes.ok();
}

bool read_versions(Reader list, ClientHello& hello) {
  Reader versions = list.vector(1);
  while (versions.ok() && !versions.empty()) {
    const auto version = static_cast<std::uint16_t>(versions.number(2));
    // Values reserved against ossification (RFC 8701) look like 0x?a?a.
    if ((version & 0x0f0f) != 0x0a0a && version <= 0x0304)
      hello.highest_version = std::max(hello.highest_version, version);
  }
  return versions.ok();
}

const char* read_hello(std::string_view message, ClientHello& hello) {
  Reader reader(message);
  hello.highest_version = static_cast<std::uint16_t>(reader.number(2));
  reader.take(32);
  if (reader.vector(1).rest().size() > 32) return "the session id is too long";
  Reader suites = reader.vector(2);
  if (!reader.ok() || suites.empty() || suites.rest().size() % 2)
    return "the list of cipher suites is broken";
  reader.vector(1);
  if (!reader.ok()) return "the list of compression methods is broken";
  if (reader.empty()) {
    // No extensions: an old client, which can do RSA (RFC 5246 §7.4.1.4.1).
    hello.takes_rsa = true;
    return nullptr;
  }
  Reader extensions = reader.vector(2);
  if (!extensions.ok() || !reader.empty()) return "the extensions do not fill the message";
  bool signatures = false;
  std::vector<std::uint16_t> seen;
  while (!extensions.empty()) {
    const auto type = static_cast<std::uint16_t>(extensions.number(2));
    Reader body = extensions.vector(2);
    if (!extensions.ok()) return "an extension is cut";
    if (std::ranges::find(seen, type) != seen.end()) return "an extension comes twice";
    if (seen.size() >= 256) return "more than 256 extensions";
    seen.push_back(type);
    if (type == kServerName && !read_server_name(body, hello)) return "the server name is broken";
    if (type == kAlpn && !read_alpn(body, hello)) return "the list of protocols is broken";
    if (type == kSupportedVersions && !read_versions(body, hello)) return "the list of versions is broken";
    if (type == kSignatureAlgorithms) {
      signatures = true;
      if (!read_signatures(body, hello)) return "the list of signature schemes is broken";
    }
  }
  if (!signatures) hello.takes_rsa = true;
  return nullptr;
}

HelloResult malformed(std::string why) { return {HelloStatus::Malformed, {}, std::move(why)}; }

}  // namespace

bool ClientHello::offers(std::string_view protocol) const {
  return std::ranges::find(alpn, protocol) != alpn.end();
}

HelloResult parse_client_hello(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (byte(bytes.front()) != kHandshakeRecord) return {HelloStatus::NotTls, {}, {}};
  std::string joined;        // of several records
  std::string_view message;  // what there is of the handshake message
  std::optional<std::size_t> wanted;
  while (!bytes.empty()) {
    if (byte(bytes.front()) != kHandshakeRecord) return malformed("another record inside the ClientHello");
    if (bytes.size() > 1 && byte(bytes[1]) != 3) return malformed("no TLS version in the record");
    if (bytes.size() < 5) break;
    const std::size_t size = static_cast<std::size_t>(byte(bytes[3])) << 8 | byte(bytes[4]);
    if (size == 0 || size > kMaxRecord) return malformed("a record of a forbidden size");
    const std::string_view fragment = bytes.substr(5, size);
    bytes.remove_prefix(5 + fragment.size());
    if (message.empty()) {
      message = fragment;
    } else {
      if (joined.empty()) joined = message;
      joined += fragment;
      message = joined;
    }
    if (!wanted && message.size() >= 1 && byte(message.front()) != kClientHello)
      return malformed("the first message is no ClientHello");
    if (!wanted && message.size() >= 4) {
      wanted = 4 + (static_cast<std::size_t>(byte(message[1])) << 16 |
                    static_cast<std::size_t>(byte(message[2])) << 8 | byte(message[3]));
      if (*wanted > kMaxHelloBytes) return malformed("the ClientHello is larger than 16 KiB");
    }
    if (wanted && message.size() >= *wanted) break;
    if (fragment.size() < size) break;
  }
  if (!wanted || message.size() < *wanted) return {};
  HelloResult result{HelloStatus::Parsed, {}, {}};
  if (const char* why = read_hello(message.substr(4, *wanted - 4), result.hello)) return malformed(why);
  return result;
}

}  // namespace fairlead::tls
