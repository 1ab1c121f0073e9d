#pragma once

#include "engine/admin/api.h"
#include "engine/admin/view.h"
#include "engine/observe/exposition.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::admin {

// /api/certificates, or one of them by its name: the SHA-256 of the certificate. Beside Traefik's fields
// stand `resolver`, `routers`, `next`, `error` and `meaning`; what is wanted and not there has the status
// `missing` and its names as name. Never a key.
ApiAnswer answer_certificates(const std::string* name, std::string_view parameters, const Sources& sources);

struct CertificateTotals {
  std::size_t total = 0;
  std::size_t warnings = 0;
  std::size_t errors = 0;
};
CertificateTotals certificate_totals(const Sources& sources);

// traefik_tls_certs_not_after: when each certificate ends, in Unix seconds.
void write_certificates(observe::MetricWriter& out, const Sources& sources);

}  // namespace fairlead::admin
