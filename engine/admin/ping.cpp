#include "engine/admin/ping.h"

namespace fairlead::admin {

Task<exchange::Response> Ping::serve(exchange::Exchange& x) const {
  int status = 200;
  if (sources_->draining && sources_->draining()) {
    status = static_cast<int>(model::Ping().terminating_status_code);
    if (const auto view = sources_->view(); view && view->install->ping)
      status = static_cast<int>(view->install->ping->terminating_status_code);
  }
  return Task<exchange::Response>::ready(
      exchange::plain(x, status, exchange::kPlainText, http::reason_phrase(status)));
}

}  // namespace fairlead::admin
