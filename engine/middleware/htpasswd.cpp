#include "engine/middleware/htpasswd.h"

#include "engine/base/base64.h"
#include "engine/base/strings.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace fairlead::middleware {
namespace {

// Above these a single guess would occupy a thread of the lane for longer than a client waits.
constexpr int kMaxBcryptCost = 18;
constexpr std::uint64_t kMaxCryptRounds = 10'000'000;

bool is_crypt_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_alpha(c) || is_digit(c) || c == '.' || c == '/'; });
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// The last part behind `$`, of a hash in crypt's modular form.
std::string_view checksum(std::string_view hash) { return hash.substr(hash.rfind('$') + 1); }

std::optional<std::string> complaint_about_sha_crypt(std::string_view hash, std::size_t checksum_bytes) {
  std::string_view rest = hash.substr(3);
  if (rest.starts_with("rounds=")) {
    const auto end = rest.find('$');
    const auto rounds = parse_digits(rest.substr(7, end == std::string_view::npos ? end : end - 7));
    if (!rounds || *rounds > kMaxCryptRounds) return "asks for too many rounds of hashing";
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const auto dollar = rest.find('$');
  if (dollar == std::string_view::npos || dollar > 16 || rest.size() - dollar - 1 != checksum_bytes ||
      !is_crypt_text(rest.substr(dollar + 1)))
    return "is cut short or damaged";
  return std::nullopt;
}

std::optional<std::string> complaint_about_md5(std::string_view rest) {
  const auto dollar = rest.find('$');
  if (dollar == std::string_view::npos || dollar > 8 || rest.size() - dollar - 1 != 22 ||
      !is_crypt_text(rest.substr(dollar + 1)))
    return "is cut short or damaged";
  return std::nullopt;
}

std::optional<std::string> complaint_about_bcrypt(std::string_view hash) {
  if (hash.size() != 60 || hash[6] != '$' || !is_digit(hash[4]) || !is_digit(hash[5]) ||
      !is_crypt_text(hash.substr(7)))
    return "is cut short or damaged";
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < 4 || cost > kMaxBcryptCost) return "has a bcrypt cost outside of 4 to 18";
  return std::nullopt;
}

// Compose replaces `$name` by a variable's value and `$$` by `$`. A hash written with single `$` loses its
// head and salt; one with doubled `$` in a place that is not interpolated keeps them doubled.
std::optional<std::string> complaint_about_compose(std::string_view hash) {
  if (hash.starts_with("$$")) return "has doubled `$`: only Compose files need `$$`, write a single `$` here";
  if (hash.size() < 22 && is_crypt_text(hash))
    return "is no htpasswd hash; Compose takes `$` for a variable, so write each `$` of the hash as `$$` "
           "there";
  return std::nullopt;
}

bool verify_sha1(std::string_view hash, const std::string& password) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(password.data()), password.size(), digest.data());
  return same(hash.substr(5), base64(digest));
}

bool verify_crypt(const std::string& hash, const std::string& password) {
  const auto room = std::make_unique<crypt_data>();
  std::memset(room.get(), 0, sizeof *room);
  const char* made = crypt_r(password.c_str(), hash.c_str(), room.get());
  const bool equal = made && made[0] != '*' && same(made, hash);
  OPENSSL_cleanse(room.get(), sizeof *room);
  return equal;
}

}  // namespace

std::optional<std::string> complaint_about_hash(std::string_view hash) {
  if (hash.empty()) return "has no password hash; in a Compose file each `$` of it must be written as `$$`";
  if (!is_crypt_text(hash) && hash.find_first_of(" \t\r") != std::string_view::npos)
    return "has a blank in its password hash";
  if (hash.starts_with("{SHA}"))
    return hash.size() == 33 ? std::nullopt : std::optional<std::string>("is cut short or damaged");
  if (hash.starts_with("$apr1$")) return complaint_about_md5(hash.substr(6));
  if (hash.starts_with("$1$")) return complaint_about_md5(hash.substr(3));
  if (hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$"))
    return complaint_about_bcrypt(hash);
  if (hash.starts_with("$5$")) return complaint_about_sha_crypt(hash, 43);
  if (hash.starts_with("$6$")) return complaint_about_sha_crypt(hash, 86);
  if (auto damaged = complaint_about_compose(hash)) return damaged;
  return "is no hash of a known kind (bcrypt, MD5, SHA-1, SHA-256 or SHA-512 crypt); make one with `htpasswd "
         "-B`";
}

bool verify_password(const std::string& hash, const std::string& password) {
  if (hash.starts_with("{SHA}")) return verify_sha1(hash, password);
  if (hash.starts_with("$apr1$")) {
    const std::string_view rest = std::string_view(hash).substr(6);
    return same(checksum(hash), checksum(hash_apr1(password, rest.substr(0, rest.find('$')))));
  }
  // libcrypt reads up to the first NUL: a longer password must not pass for its beginning.
  const bool matches = verify_crypt(hash, password);
  return matches && password.find('\0') == std::string::npos;
}

}  // namespace fairlead::middleware
