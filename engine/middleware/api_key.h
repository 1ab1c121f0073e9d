#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

struct ApiKeyOptions {
  std::vector<std::string> keys;
  std::string header;
  std::string query;
  std::string cookie;
  bool keep_key = false;
  std::string header_field;
};

// Asks for a key in a header, a query parameter or a cookie; 401 without a known one. Only SHA-256 hashes of
// the keys are configured: keys are long and random, so that a slow hash would protect nothing. All of them
// are compared in constant time.
class ApiKey final : public exchange::HeadMiddleware {
 public:
  using Options = ApiKeyOptions;
  // Errors: no key, a key that is no "name:sha256" or "sha256", a name that no header can have.
  static Configured<std::shared_ptr<const ApiKey>> make(Options options, Making& making);

  using Hash = std::array<unsigned char, 32>;
  struct Key {
    std::string name;  // for the log and headerField; may be empty
    Hash hash;
  };
  ApiKey(std::vector<Key> keys, Options options) : keys_(std::move(keys)), options_(std::move(options)) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  std::string presented(const exchange::Exchange& x) const;
  const Key* find(std::string_view presented) const;
  void remove_from(exchange::Exchange& x) const;

  const std::vector<Key> keys_;
  const Options options_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::ApiKeyOptions> =
    table(option<&middleware::ApiKeyOptions::keys>(
              "keys", "Known keys, each as name:hash or hash; the hash is SHA-256 in hexadecimal.",
              {.secret = true}),
          option<&middleware::ApiKeyOptions::header>(
              "header", "Header with the key; X-API-Key when neither query nor cookie is set either."),
          option<&middleware::ApiKeyOptions::query>("query", "Query parameter with the key."),
          option<&middleware::ApiKeyOptions::cookie>("cookie", "Cookie with the key."),
          option<&middleware::ApiKeyOptions::keep_key>("keepKey", "Send the key on to the server."),
          option<&middleware::ApiKeyOptions::header_field>(
              "headerField", "Header that tells the server the name of the key."));
static_assert(fairlead::schema::complete<fairlead::middleware::ApiKeyOptions>());
