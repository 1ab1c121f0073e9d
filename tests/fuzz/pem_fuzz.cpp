// PEM bundles: of an authority, of acme.json and of configured files.
#include "acme/chain.h"
#include "engine/tls/certificate.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto chain = fairlead::acme::read_chain(text);
  const bool whole = fairlead::acme::belongs(text, text);
  const auto made = fairlead::tls::Certificate::from_pem(text, text);
  // Both rooms read the same certificates; only one of them also takes a bundle without names, and leaves a
  // key that holds the certificate's public key unread.
  if (whole && chain && !made) __builtin_trap();
  return 0;
}
