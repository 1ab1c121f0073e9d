#pragma once

#include "engine/schema/node.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::model {

// What keeps an element or a server from working as its owner meant, as a class. Counters, the error page and
// the API group by it; the text beside it says the particulars.
enum class ReasonKind : std::uint8_t {
  BadOption,         // unknown key, wrong type, value out of range
  MissingReference,  // names a service, middleware, transport, options set, entry point or resolver that is
                     // not there
  NotYet,            // a known option that has no effect in this version
  Deprecated,        // works, but has a better spelling
  Ineffective,       // accepted and without effect by design
  Conflict,          // two owners define one name differently
  Shadowed,          // another router with the same rule and priority comes first
  NoServer,          // the service has no server at all
  Starting,
  Unhealthy,
  Stopping,
  Stopped,
  Paused,
  Removed,      // the container is gone; its routes are remembered for a while
  NoNetwork,    // no network shared with the container
  NoPort,       // no port to send to
  Certificate,  // no certificate yet, or the resolver cannot get one
  OutOfScope,   // an area that exists in Traefik only
};

// "BadOption" as "bad option": for the API and logs.
std::string_view name(ReasonKind kind);

struct Reason {
  ReasonKind kind = ReasonKind::BadOption;
  std::string
      text;  // one sentence with names and values: `http.routers.web.priority: expected an integer, got "x"`
  std::string hint;  // the remedy, when one is known: "did you mean `rule`?"
  bool breaks =
      false;  // the element cannot be used: its routers answer 503; else a warning beside a working element

  bool operator==(const Reason&) const = default;
};

// One named element of the configuration and what is known about it beyond its options.
template <class T>
struct Element {
  T options{};
  schema::Origin origin;        // the container or file it was read from
  std::string owner;            // "host//project/service" or container; files: the path; decides conflicts
  std::vector<Reason> reasons;  // everything wrong with it, warnings included
  bool by_default_rule =
      false;  // routers: the rule came from the provider's template, so recursion is guarded

  bool broken() const {
    for (const Reason& reason : reasons)
      if (reason.breaks) return true;
    return false;
  }

  void warn(ReasonKind kind, std::string text, std::string hint = {}) {
    reasons.push_back({kind, std::move(text), std::move(hint), false});
  }
  void break_off(ReasonKind kind, std::string text, std::string hint = {}) {
    reasons.push_back({kind, std::move(text), std::move(hint), true});
  }

  // Where in a file it stands does not count: an edit above an element does not change it.
  bool operator==(const Element& other) const {
    return options == other.options && origin.source == other.origin.source && owner == other.owner &&
           reasons == other.reasons && by_default_rule == other.by_default_rule;
  }
};

// Life of a server, as its provider sees it. Only Ready is picked; Draining finishes what it has.
enum class ServerState : std::uint8_t { Starting, Ready, Draining, Gone };

std::string_view name(ServerState state);

// One server behind a service: where it is and in which state. `url` equals the url (TCP, UDP: the address)
// of an entry of the service's servers, which carries the weight; empty when there is no address that may be
// dialled.
struct Standing {
  std::string name{};  // "container shop-1"
  std::string url{};
  ServerState state = ServerState::Ready;
  std::vector<Reason> reasons{};
  std::chrono::system_clock::time_point since{};

  bool operator==(const Standing&) const = default;
};

}  // namespace fairlead::model
