#pragma once

#include "engine/tls/certificate.h"

#include <string>
#include <vector>

namespace fairlead::tls {

// What a certificate says about itself beyond what serving needs: for the API.
struct CertificateDetails {
  std::string common_name;
  std::string organization;
  std::string country;
  std::string issuer_common_name;
  std::string issuer_organization;
  std::string issuer_country;
  std::string serial;                  // decimal
  std::vector<std::string> dns_names;  // of its subjectAltName, in their order
  std::vector<std::string> addresses;  // the same
  int version = 0;                     // 3
  std::string key_type;                // RSA, ECDSA, Ed25519
  int key_bits = 0;
  std::string signature_algorithm;     // "ECDSA-SHA256", "SHA256-RSA", "SHA256-RSAPSS", "Ed25519", as in Go
  std::string public_key_fingerprint;  // SHA-256 of the SubjectPublicKeyInfo, hexadecimal
};

CertificateDetails details_of(const Certificate& certificate);

}  // namespace fairlead::tls
