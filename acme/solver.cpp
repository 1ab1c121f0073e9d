#include "acme/solver.h"

#include <condition_variable>
#include <mutex>

namespace fairlead::acme {

std::string_view name(ChallengeType type) {
  switch (type) {
    case ChallengeType::Http01: return "http-01";
    case ChallengeType::TlsAlpn01: return "tls-alpn-01";
    case ChallengeType::Dns01: return "dns-01";
  }
  return "";
}

bool sleep_for(std::chrono::nanoseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace fairlead::acme
