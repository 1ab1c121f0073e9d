#pragma once

#include "acme/client.h"

#include <string>

namespace fairlead::acme {

// An account as acme.json keeps it. An RSA key stays PKCS#1, so that Traefik reads it back.
struct Account {
  std::string email;
  std::string key_der;
  std::string url;          // empty: not registered
  std::string body = "{}";  // the authority's account object, as JSON text
  std::string directory;    // of the authority it is registered with

  bool operator==(const Account&) const = default;
};

struct AccountOptions {
  std::string email;
  std::string eab_kid;           // with its key: external account binding
  std::string eab_hmac_encoded;  // base64url
};

// A key for a new account: RSA, since Traefik reads no other.
SharedKey new_account_key();

// Makes the account usable: registers it (an authority that knows the key answers with the account it has),
// and changes the contact where the e-mail address differs. What it changed stands in `account`.
Answered<Signer> prepare_account(Client& client, Account& account, const SharedKey& key,
                                 const AccountOptions& options, std::stop_token stop);

}  // namespace fairlead::acme
