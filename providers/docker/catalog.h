#pragma once

#include "providers/docker/build.h"
#include "providers/docker/early_stops.h"
#include "providers/docker/merge.h"
#include "providers/docker/state.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::providers::docker {

// What is known about an engine before it is asked.
struct Place {
  std::string own_id;   // Fairlead's own container, when it runs in one (of whatever engine)
  bool remote = false;  // reached over the network, and not by a loopback address
  std::string address;  // of the engine's machine
  std::string host_mode_address = "127.0.0.1";
  bool use_bind_port_ip = false;
  std::string network;  // provider's network for this engine
};

// What a change of state means for servers that are already published.
struct ServerChange {
  std::string url;
  model::ServerState state;
  std::vector<model::Reason> reasons;
};

struct Effects {
  bool changed = false;               // the configuration is to be composed again
  std::vector<ServerChange> servers;  // to be told at once
};

// A container whose ports are to be tried.
struct ProbeJob {
  std::string host, id;
  std::vector<ProbeTarget> targets;
  bool ask_http = false;  // else accepting the connection is enough
};

struct ProbeResult {
  std::uint16_t port = 0;
  bool accepts = false;
  bool speaks_http = false;
  bool says_400 = false;  // a TLS port spoken to in clear text, or a server that knows other hosts only
  bool awaited = false;   // it accepts, was asked, and has not answered yet
};

// All containers of all engines of one provider, and every decision about them. No threads, no input or
// output: what happened is told, with the time, and the consequences are answered.
class Catalog {
 public:
  // `places` by engine name. A container of an engine without a place is ignored.
  Catalog(Settings settings, std::map<std::string, Place> places);

  // An inspected container. `first_list`: it was found by the first list, so what runs already is ready.
  // `asked`: when the engine was asked. An answer that is younger than the end or removal of the container
  // disproves it: the event came late or twice, or the id is used again.
  Effects seen(Container container, bool first_list, Moment now, TimePoint asked = {});
  // `told`: when the event happened, by the engine's clock.
  // A start event: a stop that was told before it concerned an earlier run.
  Effects started(std::string_view host, std::string_view id, Moment now, WallTime told);
  // A kill or stop event. `signal` may be empty for "stop".
  Effects stopping(std::string_view host, std::string_view id, std::string_view signal, Moment now,
                   WallTime told = {});
  Effects ended(std::string_view host, std::string_view id, int exit_code, Moment now,
                WallTime told = {});                                        // die
  Effects removed(std::string_view host, std::string_view id, Moment now);  // destroy, or not found any more
  Effects probed(std::string_view host, std::string_view id, const std::vector<ProbeResult>& results,
                 Moment now);
  // Time passed: forgets what was removed long ago, ends what was tried long enough.
  Effects tick(Moment now);
  std::optional<TimePoint> next_tick() const;

  std::vector<ProbeJob> probes() const;
  // Some container that ran before Fairlead did has several ports and none was found yet.
  bool choosing_ports() const;

  model::Dynamic compose();

  std::vector<std::string> ids(std::string_view host) const;  // not removed

 private:
  struct Entry {
    Tracked tracked;
    Built built;
    std::optional<TimePoint> trying_since;
    std::optional<TimePoint> forget_at;
    std::vector<model::Reason> said;  // in the log
  };
  using Key = std::pair<std::string, std::string>;  // host, id

  Entry* find(std::string_view host, std::string_view id);
  const Container* find_container(const std::string& host, std::string_view id_or_name) const;
  Surroundings surroundings(const std::string& host) const;
  void rebuild(Entry& entry, Moment now, Effects& effects);
  void say_what_is_new(Entry& entry) const;
  void leave(const std::string& host, const Surroundings& around, const std::vector<ServerOf>& before,
             const std::vector<ServerOf>& now, Effects& effects) const;
  void rebuild_dependents(const Container& changed, Moment now, Effects& effects);
  void settle(Entry& entry, Moment now);
  void update(Entry& entry, Moment now, Effects& effects);
  void finish_trying(Entry& entry, std::optional<std::uint16_t> chosen, Moment now, Effects& effects);
  Duration patience(const Entry& entry) const;
  bool takes_part(const Entry& entry) const;

  Settings settings_;
  std::map<std::string, Place, std::less<>> places_;
  std::map<Key, Entry> entries_;
  EarlyStops early_stops_;
  Holders holders_;
};

}  // namespace fairlead::providers::docker
