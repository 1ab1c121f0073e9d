#pragma once

#include "engine/base/result.h"
#include "engine/tls/pointers.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::tls {

// All certificates of a PEM text, at most 1,024; at least one.
Configured<std::vector<X509Ptr>> read_certificates(std::string_view pem);
// SHA-256 of a certificate.
std::string digest_of(X509* certificate);
// As PEM text again.
std::string to_pem(X509* certificate);

}  // namespace fairlead::tls
