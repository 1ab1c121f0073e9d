#pragma once

#include "engine/base/result.h"
#include "engine/tls/pointers.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::tls {

// All certificates of a PEM text, at most 1,024; at least one.
Configured<std::vector<X509Ptr>> read_certificates(std::string_view pem);
// The next certificate, for what it says: no object is made of its public key, which would take four times as
// long as all the rest. Null at the end of the text, or with the reason in OpenSSL's queue.
X509Ptr read_statement(BIO* pem);
// Its SHA-256.
std::string digest_of(X509* certificate);
// As PEM text again.
std::string to_pem(X509* certificate);

}  // namespace fairlead::tls
