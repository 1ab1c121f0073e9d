#include "providers/docker/events.h"

#include "engine/base/strings.h"
#include "providers/docker/engine_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fairlead::providers::docker {
namespace {

using nlohmann::json;

// What the engine is asked for. "died" and "remove" are Podman's. A container that was created and waits for
// others is known from then on, as one that was stopped is.
constexpr std::array<std::string_view, 15> kWords = {
    "create", "start",   "restart", "kill",   "die",     "stop",       "destroy",      "remove",
    "pause",  "unpause", "rename",  "update", "connect", "disconnect", "health_status"};
constexpr std::size_t kMaxUnended = 1 << 20;  // bytes of an event that may end without a line end

// An engine, or a proxy before it, may send more than it was asked for: "exec_start" comes with every probe.
bool concerns_us(std::string_view word) {
  return word == "died" || word.starts_with("health_status") ||
         std::ranges::find(kWords, word) != kWords.end();
}

std::string either(std::string first, std::string otherwise) { return first.empty() ? otherwise : first; }

// Docker and Podman tell nanoseconds; before API 1.22 there were seconds only, which are too coarse to
// compare.
WallTime time_of(const json& root) {
  const json& nanoseconds = member(root, "timeNano");
  return nanoseconds.is_number_integer() ? WallTime(std::chrono::nanoseconds(nanoseconds.get<std::int64_t>()))
                                         : WallTime{};
}

Event::Action action_of(std::string_view word) {
  if (word == "start" || word == "restart") return Event::Action::Started;
  if (word == "kill" || word == "stop") return Event::Action::Stopping;
  if (word == "die" || word == "died") return Event::Action::Ended;
  if (word == "destroy" || word == "remove") return Event::Action::Removed;
  return Event::Action::Changed;
}

std::optional<Event> read_event(const json& root) {
  const json& actor = member(root, "Actor");
  const json& attributes = member(actor, "Attributes");
  Event out;
  // Before API 1.22 there were only "status" and "id".
  out.word = either(text(root, "Action"), text(root, "status"));
  if (!concerns_us(out.word)) return std::nullopt;
  const std::string type = either(text(root, "Type"), "container");
  if (type == "network") {
    out.container = text(attributes, "container");
  } else if (type == "container") {
    out.container = either(text(actor, "ID"), text(root, "id"));
    out.action = action_of(out.word);
    out.signal = text(attributes, "signal");
    out.told = time_of(root);
    out.exit_code = static_cast<int>(parse_digits(text(attributes, "exitCode")).value_or(0) & 0xFF);
    // Podman kills without naming the signal: without one, only "stop" is known to be a stop.
    if (out.word == "kill" && out.signal.empty()) out.action = Event::Action::Changed;
  }
  if (out.container.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::expected<std::optional<Event>, std::string> parse_event(std::string_view line) {
  const auto root = parse_json(line);
  if (!root || !root->is_object()) return std::unexpected("no event can be read from the line");
  return read_event(*root);
}

std::string events_query() {
  // {"type":["container","network"],"event":[…]}
  std::string out = "filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%2C%22event%22%3A%5B";
  bool first = true;
  for (const std::string_view word : kWords) {
    out += fmt::format("{}%22{}%22", first ? "" : "%2C", word);
    first = false;
  }
  return out + "%5D%7D";
}

bool LineSplitter::feed(std::string_view bytes, const std::function<void(std::string_view)>& line) {
  for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos; bytes.remove_prefix(end + 1)) {
    std::string_view whole = bytes.substr(0, end);
    if (!partial_.empty()) {
      partial_.append(whole);
      whole = partial_;
    }
    if (whole.size() > kMaxLine) return false;
    if (whole.ends_with('\r')) whole.remove_suffix(1);
    if (!whole.empty()) line(whole);
    partial_.clear();
  }
  partial_.append(bytes);
  if (partial_.ends_with('}') && partial_.size() <= kMaxUnended && json::accept(partial_)) {
    line(partial_);
    partial_.clear();
  }
  return partial_.size() <= kMaxLine;
}

}  // namespace fairlead::providers::docker
