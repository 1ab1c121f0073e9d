#include "engine/middleware/htpasswd.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>

namespace fairlead::middleware {
namespace {

using Digest = std::array<std::uint8_t, 16>;

class Md5 {
 public:
  Md5() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { restart(); }
  void restart() { EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr); }
  Md5& add(std::string_view text) {
    EVP_DigestUpdate(context_.get(), text.data(), text.size());
    return *this;
  }
  Md5& add(const Digest& digest, std::size_t bytes = 16) {
    EVP_DigestUpdate(context_.get(), digest.data(), bytes);
    return *this;
  }
  Digest end() {
    Digest digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// Four characters for three bytes, lowest six bits first: crypt's own order, unlike base64.
void append_group(std::string& out, unsigned value, int characters) {
  constexpr std::string_view kAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (; characters > 0; --characters, value >>= 6) out += kAlphabet[value & 63];
}

}  // namespace

// Poul-Henning Kamp's MD5 crypt with Apache's magic: libcrypt knows only the "$1$" one.
std::string hash_apr1(std::string_view password, std::string_view salt) {
  constexpr std::string_view kMagic = "$apr1$";
  salt = salt.substr(0, 8);

  Md5 md5;
  const Digest inner = md5.add(password).add(salt).add(password).end();
  md5.restart();
  md5.add(password).add(kMagic).add(salt);
  for (std::size_t left = password.size(); left > 0; left -= std::min<std::size_t>(left, 16))
    md5.add(inner, std::min<std::size_t>(left, 16));
  // A bit of the length set adds a zero byte, a clear one the first byte of the password.
  for (std::size_t bits = password.size(); bits > 0; bits >>= 1)
    md5.add((bits & 1) != 0 ? std::string_view("\0", 1) : password.substr(0, 1));
  Digest digest = md5.end();

  for (int round = 0; round < 1000; ++round) {
    md5.restart();
    if (round % 2 != 0)
      md5.add(password);
    else
      md5.add(digest);
    if (round % 3 != 0) md5.add(salt);
    if (round % 7 != 0) md5.add(password);
    if (round % 2 != 0)
      md5.add(digest);
    else
      md5.add(password);
    digest = md5.end();
  }

  std::string out = std::string(kMagic).append(salt).append("$");
  constexpr std::array<std::array<std::size_t, 3>, 5> kOrder = {
      {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}}};
  for (const auto& [high, middle, low] : kOrder)
    append_group(out, unsigned{digest[high]} << 16 | unsigned{digest[middle]} << 8 | digest[low], 4);
  append_group(out, digest[11], 2);
  return out;
}

}  // namespace fairlead::middleware
