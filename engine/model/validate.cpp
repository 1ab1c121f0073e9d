#include "engine/model/validate.h"

#include "engine/model/not_yet.h"
#include "engine/model/static.h"
#include "engine/model/validate_parts.h"

namespace fairlead::model {

void validate(Dynamic& dynamic, const Static& install) {
  mark_not_yet(dynamic);  // first: what needs an element that is broken by it is broken too
  validate_tls(dynamic.tls, install);
  validate_transports(dynamic);
  validate_http_services(dynamic.http);
  validate_tcp_services(dynamic.tcp, install);
  validate_udp_services(dynamic.udp);
  validate_routers(dynamic, install);
}

}  // namespace fairlead::model
