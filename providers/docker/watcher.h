#pragma once

#include "engine/base/channel.h"
#include "engine/base/clock.h"
#include "providers/docker/client.h"
#include "providers/docker/slow_lane.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::providers::docker {

// What a watcher tells about its engine, in the order in which it learned it.
struct Report {
  enum class Kind : unsigned char {
    Connected,  // text: the API version
    Lost,       // text: why
    Happened,   // event
    Inspected,  // containers
    Listed,     // containers that are new or changed, gone: those no longer there; the list is complete
  };
  Kind kind;
  std::string host;
  std::string text{};
  Event event{};
  std::vector<Container> containers{};
  std::vector<std::string> gone{};
  bool first = false;  // Listed: the first one ever. Inspected: for that one
  // Happened: when it was told. Inspected, Listed: before the engine was first asked, so that what happened
  // later is not disproved by it.
  TimePoint at{};
};

// Follows one engine: subscribes to its events, then lists, inspects what is new or was named by an event,
// lists again every 30 s, and reconnects for ever. An engine that refuses its events, or keeps silent about
// them, is listed all the same. Two threads, since the event stream and the calls block independently, and a
// lane for containers of which the engine does not tell at once; every result is a Report.
class Watcher {
 public:
  struct Timing {
    Duration resync = std::chrono::seconds(30);
    Duration retry = std::chrono::seconds(2);         // at first, after a list or inspection that failed
    Duration await_events = std::chrono::seconds(2);  // for the head of the event stream, before a list
    double back_off = 1;                              // factor; tests wait less
  };

  // `watch` false: one list, no events.
  Watcher(std::string host, const Endpoint& endpoint, Duration timeout, bool watch, Channel<Report>& reports);
  Watcher(std::string host, const Endpoint& endpoint, Duration timeout, bool watch, Channel<Report>& reports,
          Timing timing);
  ~Watcher();

  void start();
  void stop();     // joins within milliseconds
  void refresh();  // list again, and inspect everything

  std::uint64_t calls() const { return calls_; }  // list and inspect calls so far

 private:
  void stream();  // thread: connection and events
  void work();    // thread: calls
  std::string run_once();
  void connected();
  void enqueue(std::string id);
  void resync();
  void inspect_pending();
  std::optional<Container> inspect(const std::string& id, bool first, std::vector<std::string>& gone,
                                   std::string& error);
  void learned(SlowLane::Answer answer);
  bool sleep(Duration duration);

  const std::string host_;
  const Endpoint endpoint_;
  const bool watch_;
  const Timing timing_;
  Channel<Report>& reports_;
  Client stream_client_;
  Client call_client_;
  SlowLane slow_lane_;
  std::thread stream_thread_, work_thread_;
  std::atomic<std::uint64_t> calls_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool connected_ = false;  // there is somebody to ask
  bool told_connected_ = false;
  std::optional<TimePoint> streaming_since_;  // the event stream began
  std::optional<TimePoint> list_anyway_;      // unless the event stream begins before
  bool resync_wanted_ = false;
  bool inspect_all_ = false;
  std::string version_;
  std::deque<std::string> pending_;  // ids to inspect, each once

  // The work thread's own: what the last list said of each container. Empty: inspect at the next list.
  std::map<std::string, std::string> fingerprints_;
  bool listed_once_ = false;
  int slow_in_a_row_ = 0;  // inspections since the last list or quick one
  std::string said_;       // why the last list failed
  bool failed_ = false;    // the last list, or some inspection since
  Duration retry_;         // how long after the next failure
};

}  // namespace fairlead::providers::docker
