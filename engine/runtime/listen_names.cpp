#include "engine/runtime/listen_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

namespace fairlead::runtime {
namespace {

constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kLongestPause = std::chrono::minutes(1);

}  // namespace

ListenNames::Places ListenNames::find(const net::ListenAddress& address, TimePoint patience, bool anew) {
  if (!net::is_looked_up(address)) return look_up_(address);
  Asked& asked = asked_[net::text_of(address)];
  if (anew) asked.pause = {};
  const bool may_rest = asked.answer && (*asked.answer || !anew);
  if (may_rest && std::chrono::steady_clock::now() < asked.until) return *asked.answer;
  if (!asked.under_way.valid()) asked.under_way = ask(address);
  if (asked.under_way.wait_until(patience) != std::future_status::ready) {
    if (asked.answer && !*asked.answer) return *asked.answer;
    return fail(500, Fault::Proxy,
                fmt::format("listen on {}: the name servers have not answered yet", net::text_of(address)));
  }
  asked.answer = asked.under_way.get();
  asked.pause = std::clamp(asked.pause * 2, kFirstPause, kLongestPause);
  asked.until = std::chrono::steady_clock::now() + asked.pause;
  return *asked.answer;
}

// The thread owns all that it touches: nobody may be there any more when the answer comes.
std::future<ListenNames::Places> ListenNames::ask(const net::ListenAddress& address) const {
  std::packaged_task<Places()> task([look_up = look_up_, address] { return look_up(address); });
  std::future<Places> answer = task.get_future();
  std::thread(std::move(task)).detach();
  return answer;
}

}  // namespace fairlead::runtime
