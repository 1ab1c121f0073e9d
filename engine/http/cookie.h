#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace fairlead::http {

struct CookiePair {
  std::string_view name;
  std::string_view value;  // without the double quotes around it
};

// The cookies of one Cookie field value in order, read like Go's net/http: pairs with a name that is no token
// or a value with a forbidden byte are skipped. `for (const auto& [name, value] : Cookies(line.value))`.
class Cookies {
 public:
  explicit Cookies(std::string_view field_value) : text_(field_value) {}

  class Iterator {
   public:
    explicit Iterator(std::string_view rest) : rest_(rest) { ++*this; }
    const CookiePair& operator*() const { return now_; }
    const CookiePair* operator->() const { return &now_; }
    Iterator& operator++();
    bool operator==(std::default_sentinel_t) const { return at_end_; }

   private:
    std::string_view rest_;
    CookiePair now_;
    bool at_end_ = false;
  };

  Iterator begin() const { return Iterator(text_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view text_;
};

enum class SameSite : std::uint8_t { Absent, None, Lax, Strict };

struct SetCookie {
  std::string name{};
  std::string value{};
  std::string path{};    // empty: no attribute
  std::string domain{};  // empty or invalid: no attribute
  int max_age = 0;       // seconds; 0: no attribute, negative: Max-Age=0
  bool http_only = false;
  bool secure = false;
  SameSite same_site = SameSite::Absent;
};

// The value of a Set-Cookie field as Go's net/http writes it: Path, Domain, Max-Age, HttpOnly, Secure,
// SameSite, forbidden bytes left out. Empty when the name is no token.
std::string format(const SetCookie& cookie);

// The name with every character that a token may not hold replaced by '_'.
std::string sanitize_cookie_name(std::string_view name);

}  // namespace fairlead::http
