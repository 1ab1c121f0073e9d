#pragma once

#include "engine/tls/pointers.h"

#include <expected>
#include <string>

namespace fairlead::cmd {

struct WhoamiTls {
  std::string cert;     // path of a chain, PEM
  std::string key;      // path of its key, PEM
  std::string ca_cert;  // path; clients must then show a certificate of this authority
};

// What whoami serves HTTPS with. The error names the file.
std::expected<tls::ContextPtr, std::string> make_whoami_context(const WhoamiTls& options);

}  // namespace fairlead::cmd
