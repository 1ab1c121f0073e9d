#pragma once

#include "acme/key.h"

#include <string>
#include <string_view>

namespace fairlead::acme {

// What the protected header of a request says (RFC 8555 §6.2).
struct JwsHeader {
  std::string url;
  std::string nonce;
  std::string account;  // URL of the account; empty: the public key itself is sent
};

// The body of a request, signed (RFC 7515 §7.2.2, flattened). An empty payload is POST-as-GET.
std::string signed_request(const Key& key, const JwsHeader& header, std::string_view payload);

// RFC 8555 §7.3.4: the account key, signed with what the authority handed out. `mac_key`: decoded.
std::string external_binding(const Key& key, const std::string& url, const std::string& kid,
                             std::string_view mac_key);

}  // namespace fairlead::acme
