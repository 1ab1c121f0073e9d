#include "engine/observe/troubles.h"

#include <fmt/format.h>

namespace fairlead::observe {
namespace {

constexpr auto kTellAgain = std::chrono::minutes(1);
constexpr std::size_t kMostKinds = 512;  // what is beyond is not told until older kinds have passed

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
  const TimePoint now = record.ended;
  std::string kind =
      fmt::format("{} {} {} {}", record.router, record.server_url, record.status, record.reason);
  if (told_.size() >= kMostKinds && !told_.contains(kind)) {
    std::erase_if(told_, [&](const auto& entry) { return now - entry.second.at >= kTellAgain; });
    if (told_.size() >= kMostKinds) return {};
  }
  const auto [place, is_new] = told_.try_emplace(std::move(kind));
  Told& told = place->second;
  if (!is_new && now - told.at < kTellAgain) {
    ++told.since;
    return {};
  }
  std::string out = describe(record);
  if (told.since > 0)
    out += fmt::format(" ({} more like it in the {} s before)", told.since,
                       std::chrono::duration_cast<std::chrono::seconds>(now - told.at).count());
  told = {now, 0};
  return out;
}

}  // namespace fairlead::observe
