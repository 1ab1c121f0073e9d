#include "engine/observe/troubles.h"

#include <fmt/format.h>

namespace fairlead::observe {
namespace {

std::string describe(const Record& record) {
  std::string out = record.router.empty() ? fmt::format("entry point {}: ", record.entry_point)
                                          : fmt::format("router {}: ", record.router);
  // A status below 400 had left before it went wrong.
  out += record.status < 400 ? fmt::format("an answer ({}) broke off: ", record.status)
                             : fmt::format("answered {}: ", record.status);
  if (!record.server_address.empty() && !record.cause->detail.contains(record.server_address))
    out += fmt::format("server {}: ", record.server_url);
  return out + record.cause->detail;
}

}  // namespace

std::string Troubles::line(const Record& record) {
  // That a tunnel ended is nothing wrong.
  if (!record.cause || record.cause->fault == Fault::Client || record.internal || record.status == 101)
    return {};
  const auto more =
      lines_.pass(fmt::format("{} {} {} {}", record.router, record.server_url, record.status, record.reason),
                  record.ended);
  return more ? describe(record) + *more : std::string();
}

}  // namespace fairlead::observe
