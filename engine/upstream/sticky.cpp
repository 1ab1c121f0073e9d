#include "engine/upstream/sticky.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

namespace fairlead::upstream {
namespace {

std::string hex_digest(const EVP_MD* algorithm, std::string_view text, std::size_t digits) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, algorithm, nullptr);
  std::string out;
  for (unsigned i = 0; i < size && out.size() < digits; ++i) out += fmt::format("{:02x}", digest[i]);
  out.resize(digits);
  return out;
}

// FNV-1 (not 1a), 64 bit, in hex: the form of older Traefik versions.
std::string fnv1_hex(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash * 1099511628211ULL) ^ static_cast<unsigned char>(c);
  return fmt::format("{:x}", hash);
}

}  // namespace

std::string Sticky::value_of(std::string_view target) { return hex_digest(EVP_sha256(), target, 16); }

std::string Sticky::default_name(std::string_view service) {
  return "_" + hex_digest(EVP_sha1(), fmt::format("_TRAEFIK_BACKEND_{}", service), 5);
}

Sticky::Sticky(const std::string& service, http::SetCookie cookie, const std::vector<std::string>& targets) {
  name_ = cookie.name.empty() ? default_name(service) : http::sanitize_cookie_name(cookie.name);
  cookie.name = name_;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].empty()) {
      lines_.emplace_back();
      continue;
    }
    const int index = static_cast<int>(i);
    cookie.value = value_of(targets[i]);
    lines_.push_back(http::format(cookie));
    by_value_[cookie.value] = {index, false};
    const std::string hashed = fnv1_hex(targets[i]);
    for (const std::string& older : {targets[i], hashed, fnv1_hex(hashed)})
      by_value_.try_emplace(older, Hit{index, true});
  }
}

Sticky::Hit Sticky::find(const http::Fields& request) const {
  for (const http::Field& line : request) {
    if (line.known != http::Name::Cookie) continue;
    for (const auto& [name, value] : http::Cookies(line.value)) {
      if (name != name_) continue;
      const auto found = by_value_.find(value);
      return found == by_value_.end() ? Hit{} : found->second;
    }
  }
  return {};
}

void Sticky::set(http::Fields& response, int target) const {
  response.add(http::Name::SetCookie, lines_[static_cast<std::size_t>(target)]);
}

}  // namespace fairlead::upstream
