#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace fairlead::tls {

// A certificate chain and its key as the PEM texts that their owner wrote. Immutable, and kept once: of equal
// texts there is one object, and chains that end in the same issuers share these. That is what 50,000
// certificates weigh while nobody asks for them.
class CertificateText {
 public:
  // Any thread. The texts are taken as they are, whatever they hold.
  static std::shared_ptr<const CertificateText> of(std::string_view chain, std::string_view key);

  std::string chain() const { return leaf_ + *issuers_; }
  // Up to the end of the first certificate, and what follows it.
  const std::string& leaf() const { return leaf_; }
  const std::shared_ptr<const std::string>& issuers() const { return issuers_; }
  const std::string& key() const { return key_; }

 private:
  CertificateText() = default;

  std::string leaf_;
  std::shared_ptr<const std::string> issuers_;
  std::string key_;
};

using CertificateTextPtr = std::shared_ptr<const CertificateText>;

}  // namespace fairlead::tls
