#pragma once

#include "engine/schema/check.h"

#include <cstdint>
#include <string_view>

// Checks of single values, used by the option tables of this room.
namespace fairlead::model {

schema::Complaint percent(std::int64_t value);
schema::Complaint proxy_protocol_version(std::int64_t value);
schema::Complaint status_or_range(std::string_view text);  // "500", "500-599"
schema::Complaint status_code(std::int64_t value);         // 100..599
schema::Complaint ip_or_cidr(std::string_view text);
schema::Complaint server_scheme(std::string_view text);  // http, https, h2c in any case; empty: http
schema::Complaint lb_strategy(std::string_view text);    // wrr, p2c, hrw, leasttime; empty: wrr
schema::Complaint base_path(std::string_view text);      // ^/[a-zA-Z0-9/_.:~-]*$
schema::Complaint worker_count(std::int64_t value);      // 0..1024

}  // namespace fairlead::model
