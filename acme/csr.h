#pragma once

#include "acme/key.h"

#include <string>
#include <vector>

namespace fairlead::acme {

struct CsrOptions {
  std::vector<std::string> names;            // DNS names and addresses; the first is the common name
  std::vector<std::string> email_addresses;  // further alternative names
  bool common_name = true;
};

// A PKCS#10 request in DER; empty when OpenSSL does not take a name.
std::string certificate_request(const Key& key, const CsrOptions& options);

// Whether the text is an IPv4 or IPv6 address (an identifier of type `ip`, RFC 8738).
bool is_address(const std::string& name);

}  // namespace fairlead::acme
