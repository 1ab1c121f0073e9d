#pragma once

#include "engine/middleware/pass_tls_client_cert.h"

#include <string>
#include <string_view>

namespace fairlead::middleware {

// The certificates of `chain_pem` without markers and line ends, joined by ',': base64 of their DER.
std::string bare_certificates(std::string_view chain_pem);

// Subject="DC=…,C=…,…,CN=…";Issuer="…";SerialNumber="…";NB="seconds";NA="seconds";SAN="…" of each
// certificate, joined by ','. Not yet escaped.
std::string certificate_info(std::string_view chain_pem, const TlsCertInfoOptions& wanted);

}  // namespace fairlead::middleware
