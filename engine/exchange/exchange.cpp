#include "engine/exchange/exchange.h"

namespace fairlead::exchange {

void Exchange::clear() {
  body.reset();
  request.clear();
  record.clear();
  trace.reset();
  sent_fields.clear();
  origin_fields.clear();
  keep_origin_fields = false;
  arena_.reset();
  client = local = {};
  client_ip = router_name = {};
  tls = nullptr;
  binding = nullptr;
  entry_point = nullptr;
  reasons = nullptr;
  stream = nullptr;
  client_left = false;
  may_hold = true;
  null_forwarded_for = keep_forwarded_for = reached_proxy = sent_upstream = false;
}

}  // namespace fairlead::exchange
