#pragma once

#include "engine/base/clock.h"
#include "engine/model/reason.h"
#include "providers/docker/container.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::providers::docker {

// The two times of one moment: steady for waits, wall for what people read.
struct Moment {
  TimePoint steady;
  WallTime wall;
};

struct State {
  model::ServerState server = model::ServerState::Starting;
  std::vector<model::Reason> reasons;  // why it is not Ready; empty when it is

  bool operator==(const State&) const = default;
};

// A container and what happened to it, as events and probes told.
struct Tracked {
  Container container;
  bool from_start = false;  // ran at the first list: ready at once
  std::string stopping;     // what stops it ("SIGTERM"), from the kill event to its next start
  TimePoint stops_until{};  // one that still runs then was not stopped by that
  // When the last kill and the last start event happened, by the engine's clock.
  WallTime stop_told{}, start_told{};
  bool ended = false;  // this run is over; an older answer that still says "running" is stale
  std::optional<WallTime> removed;
  TimePoint over_since{};                 // of `ended` or `removed`
  bool settled = false;                   // starting is over: its ports answer, and which one to use is known
  std::optional<std::uint16_t> chosen;    // the port that answered HTTP
  std::optional<std::uint16_t> likely;    // the same while others are still tried
  bool awaits_answer = false;             // none answered HTTP yet, and one may still
  std::optional<TimePoint> first_answer;  // of any port, while several are tried
  TimePoint run_since{};                  // when this run was first seen
  WallTime since{};                       // when `state` became what it is
  State state;
};

// A container starts (again): what happened to it before is over.
void begin_run(Tracked& tracked, bool from_start, TimePoint now);

// Whether an event that happened at `told`, by the engine's clock, belongs to a run of the container before
// this one: it came late or twice.
bool is_of_an_earlier_run(const Tracked& tracked, WallTime told);

// A signal that asks a container to end: its own stop signal, or one of those that end most programs.
bool is_stop_signal(std::string_view signal, const Container& container);

// How long a container may run on after such a signal before it is clear that it does not end: SIGQUIT makes
// a Java program write down its threads, and some programs ignore SIGTERM.
Duration stop_patience(std::string_view signal, const Container& container);

// Until when a container that was told to stop counts as stopping, if it goes on running.
std::optional<TimePoint> stops_until(const Tracked& tracked);

// What a container's server may be used for, and why not.
State state_of(const Tracked& tracked);

// Traefik's view, for forgetStopped: whether the container counts at all.
bool counts_when_forgetting(const Tracked& tracked, bool allow_non_running, bool allow_empty_services);

}  // namespace fairlead::providers::docker
