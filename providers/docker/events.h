#pragma once

#include "engine/base/clock.h"

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::providers::docker {

// What an event line of the engine says, as far as it concerns routing.
struct Event {
  enum class Action : unsigned char {
    Started,   // start, restart: a new run
    Stopping,  // kill, stop: with a signal when the engine tells it
    Ended,     // die
    Removed,   // destroy, and Podman's remove
    Changed,   // everything else that makes an inspect necessary
  };
  Action action = Action::Changed;
  std::string word;       // as the engine wrote it, for the log
  std::string container;  // full id
  std::string signal;     // of kill
  int exit_code = 0;      // of die
  WallTime told{};        // by the engine's clock; the epoch where it does not say
};

// Nothing for events that concern no container, or are none of those asked for; an error for what is no event
// at all.
std::expected<std::optional<Event>, std::string> parse_event(std::string_view line);

// The query of GET /events that asks for exactly the events above, percent-encoded.
std::string events_query();

// Cuts a stream into lines, however it is chunked. The last bytes that came count as a line without its end
// when they complete one JSON object: not every engine ends an event's line before the next one. Event lines
// repeat all labels of a container (hundreds of KB), so there is no fixed buffer, only a bound against
// nonsense.
class LineSplitter {
 public:
  static constexpr std::size_t kMaxLine = 16 << 20;  // bytes

  // Calls `line` for each complete, non-empty line. False when one grows beyond the bound.
  bool feed(std::string_view bytes, const std::function<void(std::string_view)>& line);

 private:
  std::string partial_;
};

}  // namespace fairlead::providers::docker
