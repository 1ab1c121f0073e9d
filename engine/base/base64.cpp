#include "engine/base/base64.h"

#include <openssl/evp.h>

namespace fairlead {

void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t used = out.size();
  out.resize(used + (bytes.size() + 2) / 3 * 4 + 1);  // EVP_EncodeBlock ends with a NUL
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + used),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(used + static_cast<std::size_t>(size));
}

std::string base64(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

std::string base64(std::span<const unsigned char> bytes) {
  return base64(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace fairlead
