#include "providers/docker/port_choice.h"

#include <algorithm>

namespace fairlead::providers::docker {

bool consider(Tracked& t, const std::vector<ProbeResult>& results) {
  const ProbeResult *http = nullptr, *doubtful = nullptr;
  const auto lower = [](const ProbeResult* a, const ProbeResult& b) {
    return a == nullptr || b.port < a->port;
  };
  for (const ProbeResult& r : results) {
    if (r.speaks_http && lower(http, r)) http = &r;
    if (r.says_400 && lower(doubtful, r)) doubtful = &r;
  }
  t.awaits_answer = http == nullptr && std::ranges::any_of(results, &ProbeResult::awaited);
  if (http != nullptr)
    t.likely = http->port;
  else if (!t.likely && doubtful != nullptr)
    t.likely = doubtful->port;
  return http != nullptr && std::ranges::all_of(results, [&](const ProbeResult& r) {
           return r.port >= http->port || (r.accepts && !r.awaited);
         });
}

}  // namespace fairlead::providers::docker
