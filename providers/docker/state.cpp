#include "providers/docker/state.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace fairlead::providers::docker {
namespace {

using model::Reason;
using model::ReasonKind;
using model::ServerState;

constexpr Duration kOtherSignal = std::chrono::seconds(10);
constexpr Duration kStopMargin = std::chrono::seconds(60);  // `docker stop -t` may name a longer time

State because(ServerState server, ReasonKind kind, std::string text) {
  return {server, {Reason{kind, std::move(text), {}, false}}};
}

std::string clock_of(WallTime time) {
  return fmt::format("{:%H:%M:%S}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(
                         std::chrono::time_point_cast<std::chrono::system_clock::duration>(time))));
}

std::string ending(const Container& c) {
  if (c.oom_killed) return fmt::format("exit code {}, out of memory", c.exit_code);
  return fmt::format("exit code {}", c.exit_code);
}

State running_state(const Tracked& t) {
  const std::string& name = t.container.name;
  if (!t.stopping.empty())
    return because(ServerState::Draining, ReasonKind::Stopping,
                   fmt::format("{} is stopping ({})", name, t.stopping));
  if (t.container.health == Health::Unhealthy) {
    const std::string said = t.container.health_output.empty() ? "" : ": " + t.container.health_output;
    return because(ServerState::Draining, ReasonKind::Unhealthy,
                   fmt::format("{} is unhealthy{}", name, said));
  }
  if (t.container.health == Health::Starting)
    return because(ServerState::Starting, ReasonKind::Starting,
                   fmt::format("{} has not passed its health check yet", name));
  if (!t.settled)
    return because(ServerState::Starting, ReasonKind::Starting,
                   fmt::format("{} does not accept connections yet", name));
  return {ServerState::Ready, {}};
}

}  // namespace

void begin_run(Tracked& t, bool from_start, TimePoint now) {
  t.from_start = from_start;
  t.stopping.clear();
  t.stops_until = {};
  t.stop_told = {};
  t.ended = t.settled = false;
  t.chosen.reset();
  t.likely.reset();
  t.awaits_answer = false;
  t.first_answer.reset();
  t.run_since = now;
}

bool is_of_an_earlier_run(const Tracked& t, WallTime told) {
  if (told == WallTime{}) return false;
  // Before the container was created: another clock, which proves nothing.
  const Container& c = t.container;
  return told < t.start_told || (c.created != WallTime{} && told >= c.created && told < c.started);
}

bool is_stop_signal(std::string_view signal, const Container& container) {
  const std::string name = signal_name(signal);
  // A container may be stopped by SIGUSR1 or SIGWINCH: its own choice counts.
  return name == container.stop_signal || name == "SIGTERM" || name == "SIGKILL" || name == "SIGINT" ||
         name == "SIGQUIT";
}

Duration stop_patience(std::string_view signal, const Container& container) {
  // Not what `docker stop` sends: whoever ends by it does so soon.
  if (const std::string name = signal_name(signal); name == "SIGINT" || name == "SIGQUIT")
    if (name != container.stop_signal) return kOtherSignal;
  return container.stop_timeout + kStopMargin;
}

std::optional<TimePoint> stops_until(const Tracked& t) {
  const bool runs = t.container.running == Running::Running && !t.ended && !t.removed;
  return runs && !t.stopping.empty() ? std::optional(t.stops_until) : std::nullopt;
}

State state_of(const Tracked& t) {
  const Container& c = t.container;
  if (t.removed)
    return because(ServerState::Gone, ReasonKind::Removed,
                   fmt::format("{} was removed at {} UTC", c.name, clock_of(*t.removed)));
  switch (c.running) {
    case Running::Running:
      if (t.ended) break;
      return running_state(t);
    case Running::Paused:
      return because(ServerState::Draining, ReasonKind::Paused, fmt::format("{} is paused", c.name));
    case Running::Created:
      return because(ServerState::Gone, ReasonKind::Stopped,
                     fmt::format("{} was created and not started yet", c.name));
    case Running::Restarting:
      return because(ServerState::Gone, ReasonKind::Stopped,
                     fmt::format("{} is restarting ({})", c.name, ending(c)));
    case Running::Removing:
    case Running::Exited:
    case Running::Dead: break;
  }
  return because(ServerState::Gone, ReasonKind::Stopped,
                 fmt::format("{} has stopped ({})", c.name, ending(c)));
}

bool counts_when_forgetting(const Tracked& t, bool allow_non_running, bool allow_empty_services) {
  if (t.removed) return false;
  if (allow_non_running) return true;
  if (t.container.running != Running::Running || t.ended) return false;
  return allow_empty_services || t.container.health == Health::None || t.container.health == Health::Healthy;
}

}  // namespace fairlead::providers::docker
