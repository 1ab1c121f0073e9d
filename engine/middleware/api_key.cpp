#include "engine/middleware/api_key.h"

#include "engine/base/strings.h"
#include "engine/exchange/trailer_guard.h"
#include "engine/http/cookie.h"
#include "engine/http/field_names.h"
#include "engine/http/url.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <optional>

namespace fairlead::middleware {
namespace {

constexpr std::size_t kMaxKeyBytes = 4096;

std::optional<ApiKey::Hash> parse_hash(std::string_view hex) {
  ApiKey::Hash hash;
  if (hex.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return hash;
}

void remove_folded(http::Fields& fields, std::string_view name) {
  fields.remove_if([&](const http::Field& line) { return http::same_header_folded(line.name, name); });
}

// The query without the parameter; other parameters keep their spelling.
void remove_parameter(http::RequestHead& head, std::string_view name) {
  std::string kept;
  bool removed = false;
  for (const std::string_view part : split(head.query, '&')) {
    if (http::query_equals(part.substr(0, part.find('=')), name)) {
      removed = true;
      continue;
    }
    if (!kept.empty()) kept += '&';
    kept += part;
  }
  if (!removed) return;
  head.query = std::move(kept);
  head.has_query = !head.query.empty();
}

void remove_cookie(http::Fields& fields, std::string_view name) {
  for (http::Field& line : fields) {
    if (line.known != http::Name::Cookie) continue;
    std::string kept;
    for (std::string_view part : split(line.value, ';')) {
      part = trim(part);
      if (part.empty() || trim(part.substr(0, part.find('='))) == name) continue;
      kept += kept.empty() ? "" : "; ";
      kept += part;
    }
    line.value = fields.arena().copy(kept);
  }
  fields.remove_if(
      [](const http::Field& line) { return line.known == http::Name::Cookie && line.value.empty(); });
}

}  // namespace

Configured<std::shared_ptr<const ApiKey>> ApiKey::make(Options options, Making&) {
  if (options.keys.empty()) return misconfigured("keys", "must not be empty");
  std::vector<Key> keys;
  for (const std::string& entry : options.keys) {
    const std::size_t colon = entry.rfind(':');
    const auto hash =
        parse_hash(colon == entry.npos ? std::string_view(entry) : std::string_view(entry).substr(colon + 1));
    const std::string name = colon == entry.npos ? "" : entry.substr(0, colon);
    // The entry may be the key itself, by mistake: it is not repeated in the message.
    if (!hash)
      return misconfigured("keys", fmt::format("key {} is no SHA-256 in 64 hexadecimal digits, such as "
                                               "`printf %s KEY | sha256sum` prints",
                                               keys.size() + 1));
    if (!http::is_field_value(name))
      return misconfigured("keys", "a name has bytes that a header cannot carry");
    keys.push_back({name, *hash});
  }
  if (options.header.empty() && options.query.empty() && options.cookie.empty()) options.header = "X-API-Key";
  const std::pair<const char*, const std::string&> names[] = {
      {"header", options.header}, {"cookie", options.cookie}, {"headerField", options.header_field}};
  for (const auto& [option, name] : names)
    if (!name.empty() && !http::is_token(name))
      return misconfigured(option, "has bytes that no name can have");
  return std::make_shared<const ApiKey>(std::move(keys), std::move(options));
}

// The first place that has a key counts; empty: none.
std::string ApiKey::presented(const exchange::Exchange& x) const {
  if (!options_.header.empty()) {
    std::string_view value = x.request.fields.get(options_.header);
    if (iequals(options_.header, "Authorization") && istarts_with(value, "Bearer ")) value.remove_prefix(7);
    if (!value.empty()) return std::string(trim(value));
  }
  if (!options_.query.empty())
    for (const auto& [key, value] : http::QueryParameters(x.request.query))
      if (http::query_equals(key, options_.query) && value.size() <= 3 * kMaxKeyBytes)
        if (auto decoded = http::decode_query(value); decoded && !decoded->empty()) return *decoded;
  if (!options_.cookie.empty())
    for (const http::Field& line : x.request.fields)
      if (line.known == http::Name::Cookie)
        for (const auto& [name, value] : http::Cookies(line.value))
          if (name == options_.cookie && !value.empty()) return std::string(value);
  return {};
}

const ApiKey::Key* ApiKey::find(std::string_view presented) const {
  if (presented.empty() || presented.size() > kMaxKeyBytes) return nullptr;
  Hash hash;
  SHA256(reinterpret_cast<const unsigned char*>(presented.data()), presented.size(), hash.data());
  const Key* found = nullptr;
  // To the end: the time says nothing about which key was nearly right.
  for (const Key& key : keys_)
    if (CRYPTO_memcmp(key.hash.data(), hash.data(), hash.size()) == 0) found = &key;
  return found;
}

void ApiKey::remove_from(exchange::Exchange& x) const {
  if (!options_.header.empty()) remove_folded(x.request.fields, options_.header);
  if (!options_.query.empty()) remove_parameter(x.request, options_.query);
  if (!options_.cookie.empty()) remove_cookie(x.request.fields, options_.cookie);
}

std::optional<exchange::Response> ApiKey::on_request(exchange::Exchange& x) const {
  const Key* const key = find(presented(x));
  if (!key) {
    exchange::Response refusal =
        exchange::failure(x, Error{401, Fault::Client, false, "apiKey: no known API key"});
    refusal.head.fields.add("WWW-Authenticate", "ApiKey");
    return refusal;
  }
  x.record.user = key->name;
  if (!options_.keep_key) remove_from(x);
  if (!options_.header_field.empty()) {
    remove_folded(x.request.fields, options_.header_field);
    x.request.fields.add(options_.header_field, key->name);
    guard_trailers(x, options_.header_field);
  }
  return std::nullopt;
}

}  // namespace fairlead::middleware
