#include "acme/account.h"

#include "acme/encoding.h"
#include "acme/json_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace fairlead::acme {
namespace {

using Json = nlohmann::json;

Json contact(const std::string& email) {
  Json out = Json::array();
  if (!email.empty()) out.push_back("mailto:" + email);
  return out;
}

// The account object without `orders` and the like growing in it without bound. Only texts are taken: copying
// or printing what nests recurses, and how deep it does is the authority's to say.
std::string kept_body(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  Json out = Json::object();
  if (!json.is_object()) return dump(out);
  if (const auto status = json.find("status"); status != json.end() && status->is_string())
    out["status"] = status->get<std::string>();
  const auto contact = json.find("contact");
  if (contact == json.end() || !contact->is_array()) return dump(out);
  Json& kept = out["contact"] = Json::array();
  for (const Json& address : *contact)
    if (address.is_string()) kept.push_back(address.get<std::string>());
  return dump(out);
}

std::unexpected<Trouble> refused(std::string type, std::string detail) {
  Trouble out;
  out.kind = Trouble::Kind::Refused;
  out.problem.type = std::move(type);
  out.problem.detail = std::move(detail);
  return std::unexpected(std::move(out));
}

Answered<void> register_account(Client& client, Account& account, const SharedKey& key,
                                const AccountOptions& options, std::stop_token stop) {
  auto directory = client.directory(stop);
  if (!directory) return std::unexpected(directory.error());
  Json payload{{"termsOfServiceAgreed", true}};
  if (!options.email.empty()) payload["contact"] = contact(options.email);
  if (!options.eab_kid.empty()) {
    const auto mac_key = from_base64url(options.eab_hmac_encoded);
    if (options.eab_hmac_encoded.empty()) return refused({}, "eab.kid is set, and eab.hmacEncoded is not");
    if (!mac_key || mac_key->empty())
      return refused({},
                     "eab.hmacEncoded is no base64url text (letters, digits, - and _): is it copied whole?");
    payload["externalAccountBinding"] =
        Json::parse(external_binding(*key, directory->new_account, options.eab_kid, *mac_key));
  } else if (directory->needs_external_account) {
    return refused("externalAccountRequired", "the authority wants an external account binding");
  }
  auto answer = client.post({key, {}}, directory->new_account, dump(payload), stop);
  if (!answer) return std::unexpected(answer.error());
  const std::string_view url = answer->header("location");
  if (url.empty())
    return trouble_of({502, Fault::Upstream, false, "the authority names no URL for the account"});
  account.url = url;
  account.email = options.email;
  account.directory = client.directory_url();
  account.body = kept_body(answer->body);
  return {};
}

}  // namespace

SharedKey new_account_key() { return Key::generate("RSA2048"); }

Answered<Signer> prepare_account(Client& client, Account& account, const SharedKey& key,
                                 const AccountOptions& options, std::stop_token stop) {
  if (account.url.empty()) {
    auto made = register_account(client, account, key, options, stop);
    if (!made) return std::unexpected(made.error());
  } else if (account.email != options.email) {
    auto answer =
        client.post({key, account.url}, account.url, dump({{"contact", contact(options.email)}}), stop);
    if (!answer) return std::unexpected(answer.error());
    account.email = options.email;
    account.body = kept_body(answer->body);
  }
  return Signer{key, account.url};
}

}  // namespace fairlead::acme
