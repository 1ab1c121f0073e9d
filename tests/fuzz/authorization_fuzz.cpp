// Authorization as basicAuth and digestAuth read it, and the hashes of a users file.
#include "engine/middleware/credentials.h"
#include "engine/middleware/htpasswd.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto basic = middleware::parse_basic(text); basic && basic->user.find(':') != std::string::npos)
    std::abort();
  if (const auto digest = middleware::parse_digest(text); digest && (digest->empty() || digest->size() > 32))
    std::abort();
  middleware::complaint_about_hash(text);
  // What was escaped reads back as it was.
  const auto quoted = middleware::parse_digest("Digest a=\"" + middleware::escape_quoted(text) + '"');
  if (!quoted || quoted->at("a") != text) std::abort();
  return 0;
}
