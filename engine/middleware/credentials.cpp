#include "engine/middleware/credentials.h"

#include "engine/base/base64.h"
#include "engine/base/strings.h"
#include "engine/exchange/trailer_guard.h"
#include "engine/http/field_names.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <vector>

namespace fairlead::middleware {
namespace {

constexpr std::size_t kMaxDigestParameters = 32;

bool is_authorization(const http::Field& line) {
  return http::same_header_folded(line.name, "Authorization");
}

// Behind the scheme's name and its blanks; nothing for another scheme.
std::optional<std::string_view> behind_scheme(std::string_view text, std::string_view scheme) {
  if (text.size() <= scheme.size() || !istarts_with(text, scheme) || text[scheme.size()] != ' ')
    return std::nullopt;
  return trim(text.substr(scheme.size()));
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  // EVP_DecodeBlock forgives white space at both ends and says nothing of the padding.
  const auto is_digit_64 = [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; };
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  for (const char c : text.substr(0, text.size() - padding))
    if (!is_digit_64(c)) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

// A token or a quoted string at the front of `rest`, taken off.
std::optional<std::string> take_value(std::string_view& rest) {
  if (!rest.starts_with('"')) {
    const std::string_view token = rest.substr(0, rest.find_first_of(", \t"));
    rest.remove_prefix(token.size());
    return token.empty() ? std::nullopt : std::optional<std::string>(token);
  }
  std::string value;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    if (rest[i] == '\\' && ++i == rest.size()) break;
    value += rest[i];
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> authorization(const http::Fields& fields) {
  const http::Field* found = nullptr;
  for (const http::Field& line : fields) {
    if (!is_authorization(line)) continue;
    if (found) return std::nullopt;
    found = &line;
  }
  return found ? std::optional(found->value) : std::nullopt;
}

std::string basic_authorization(const BasicCredentials& credentials) {
  return "Basic " + base64(credentials.user + ":" + credentials.password);
}

std::optional<BasicCredentials> parse_basic(std::string_view authorization) {
  const auto encoded = behind_scheme(authorization, "Basic");
  if (!encoded || encoded->size() > 8192) return std::nullopt;
  auto text = decode_base64(*encoded);
  if (!text) return std::nullopt;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return BasicCredentials{text->substr(0, colon), text->substr(colon + 1)};
}

std::optional<std::map<std::string, std::string>> parse_digest(std::string_view authorization) {
  const auto text = behind_scheme(authorization, "Digest");
  if (!text) return std::nullopt;
  std::map<std::string, std::string> parameters;
  std::string_view rest = *text;
  while (true) {
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos || parameters.size() == kMaxDigestParameters) return std::nullopt;
    const std::string_view name = trim(rest.substr(0, equals));
    if (!http::is_token(name)) return std::nullopt;
    rest = trim(rest.substr(equals + 1));
    auto value = take_value(rest);
    if (!value || !parameters.emplace(lower(name), std::move(*value)).second) return std::nullopt;
    rest = trim(rest);
    if (rest.empty()) return parameters;
    if (rest[0] != ',') return std::nullopt;
    rest = trim(rest.substr(1));
  }
}

std::string escape_quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string why_unread(const exchange::Exchange& x, std::string_view middleware) {
  const auto lines = std::ranges::count_if(x.request.fields, &is_authorization);
  if (lines == 0) return fmt::format("{}: no credentials", middleware);
  if (lines > 1) return fmt::format("{}: {} Authorization fields", middleware, lines);
  return fmt::format("{}: credentials of another kind, or malformed", middleware);
}

exchange::Response unauthorized(exchange::Exchange& x, std::string_view challenge, std::string why) {
  exchange::Response response = exchange::answer(x, 401, "401 Unauthorized\n");
  x.record.cause = Error{401, Fault::Client, false, std::move(why)};
  response.cause = x.record.cause;
  response.head.fields.add("WWW-Authenticate", challenge);
  return response;
}

void pass_identity(exchange::Exchange& x, std::string_view user, bool remove_authorization,
                   std::string_view header) {
  if (remove_authorization) x.request.fields.remove_if(&is_authorization);
  if (header.empty()) return;
  x.request.fields.remove_if(
      [&](const http::Field& line) { return http::same_header_folded(line.name, header); });
  x.request.fields.add(header, user);
  guard_trailers(x, header);
}

}  // namespace fairlead::middleware
