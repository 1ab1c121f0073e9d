#include "acme/jws.h"

#include "acme/encoding.h"
#include "acme/json_text.h"

#include <nlohmann/json.hpp>

namespace fairlead::acme {
namespace {

using Json = nlohmann::json;

}  // namespace

std::string signed_request(const Key& key, const JwsHeader& header, std::string_view payload) {
  Json head{{"alg", key.algorithm()}, {"nonce", header.nonce}, {"url", header.url}};
  if (header.account.empty())
    head["jwk"] = Json::parse(key.jwk());
  else
    head["kid"] = header.account;
  const std::string protected_part = base64url(dump(head));
  const std::string body = base64url(payload);
  return dump({{"protected", protected_part},
               {"payload", body},
               {"signature", base64url(key.sign(protected_part + '.' + body))}});
}

std::string external_binding(const Key& key, const std::string& url, const std::string& kid,
                             std::string_view mac_key) {
  const std::string protected_part = base64url(dump({{"alg", "HS256"}, {"kid", kid}, {"url", url}}));
  const std::string body = base64url(key.jwk());
  return dump({{"protected", protected_part},
               {"payload", body},
               {"signature", base64url(hmac_sha256(mac_key, protected_part + '.' + body))}});
}

}  // namespace fairlead::acme
