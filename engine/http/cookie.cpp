#include "engine/http/cookie.h"

#include "engine/base/strings.h"
#include "engine/http/fields.h"
#include "engine/http/url.h"

#include <algorithm>

namespace fairlead::http {
namespace {

// RFC 6265 §4.1.1 cookie-octet, and space and comma, which servers send and Go allows.
bool is_cookie_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != ';' && c != '\\';
}

bool is_path_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != ';';
}

void append_if(std::string& out, std::string_view text, bool (*keep)(char)) {
  std::ranges::copy_if(text, std::back_inserter(out), keep);
}

// Go's isCookieDomainName: letters, digits, hyphens inside labels of at most 63 bytes, one letter at least.
bool is_domain_name(std::string_view domain) {
  if (domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.empty() || domain.size() > 255) return false;
  bool has_letter = false;
  for (std::string_view rest = domain;;) {
    const auto dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label) {
      if (!is_alpha(c) && !is_digit(c) && c != '-') return false;
      has_letter = has_letter || is_alpha(c);
    }
    if (dot == std::string_view::npos) return has_letter;
    rest.remove_prefix(dot + 1);
  }
}

bool is_ipv4(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           const auto number = parse_digits(part);
           return number && *number < 256 && (part.size() == 1 || part.front() != '0');
         });
}

}  // namespace

Cookies::Iterator& Cookies::Iterator::operator++() {
  while (!rest_.empty()) {
    const auto end = rest_.find(';');
    const std::string_view part = trim(rest_.substr(0, end));
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    const auto equals = part.find('=');
    now_.name = trim(part.substr(0, equals));
    now_.value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
    if (!is_token(now_.name)) continue;
    if (now_.value.size() > 1 && now_.value.starts_with('"') && now_.value.ends_with('"'))
      now_.value = now_.value.substr(1, now_.value.size() - 2);
    if (!std::ranges::all_of(now_.value, is_cookie_byte)) continue;
    return *this;
  }
  at_end_ = true;
  return *this;
}

std::string format(const SetCookie& cookie) {
  if (!is_token(cookie.name)) return {};
  std::string value;
  append_if(value, cookie.value, is_cookie_byte);
  std::string out = cookie.name;
  out += '=';
  if (value.find_first_of(" ,") == std::string::npos)
    out += value;
  else
    out.append(1, '"').append(value).append(1, '"');
  if (!cookie.path.empty()) {
    out += "; Path=";
    append_if(out, cookie.path, is_path_byte);
  }
  if (is_domain_name(cookie.domain) || is_ipv4(cookie.domain)) {
    out += "; Domain=";
    out += std::string_view(cookie.domain).substr(cookie.domain.starts_with('.') ? 1 : 0);
  }
  if (cookie.max_age != 0) {
    out += "; Max-Age=";
    out += std::to_string(std::max(cookie.max_age, 0));
  }
  if (cookie.http_only) out += "; HttpOnly";
  if (cookie.secure) out += "; Secure";
  switch (cookie.same_site) {
    case SameSite::Absent: break;
    case SameSite::None: out += "; SameSite=None"; break;
    case SameSite::Lax: out += "; SameSite=Lax"; break;
    case SameSite::Strict: out += "; SameSite=Strict"; break;
  }
  return out;
}

std::string sanitize_cookie_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool goes_on = (static_cast<unsigned char>(c) & 0xc0) == 0x80;  // of a character in UTF-8
    if (!goes_on || out.empty()) out += is_token({&c, 1}) ? c : '_';
  }
  return out;
}

}  // namespace fairlead::http
