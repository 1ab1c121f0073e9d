#pragma once

#include "acme/state.h"
#include "acme/wanted.h"
#include "engine/base/clock.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace fairlead::acme {

// A certificate that exists.
struct InHand {
  std::vector<std::string> names;
  WallTime not_after{};
  WallTime renew_at{};      // of issued ones
  std::string fingerprint;  // of issued ones
  bool issued = false;      // by a resolver; else configured, and renewed by its owner
};

// An order to be made.
struct Task {
  std::string resolver;
  std::vector<std::string> names;
  std::vector<std::string> routers;
  std::string replaces;  // fingerprint of the certificate that is renewed; may be empty

  bool operator==(const Task&) const = default;
};

struct PlanInput {
  std::vector<Wanted> wanted;
  std::vector<InHand> in_hand;
  std::set<std::string> busy;  // names of orders that run
  // What is known of a name at a resolver; null: nothing bad.
  std::function<const NameState*(const std::string& resolver, const std::string& name)> state;
  // Until when nothing may be ordered from a resolver; the past: it may.
  std::function<WallTime(const std::string& resolver)> closed_until;
  WallTime now{};
};

struct Plan {
  std::vector<Task> tasks;
  std::set<std::string> used;       // fingerprints of certificates that serve somebody
  WallTime next = WallTime::max();  // when to plan again without any event
};

// Decides what is to be ordered now. Pure: the same input gives the same plan.
//
// - Nothing for names that valid certificates cover, configured ones first, wildcards too.
// - A certificate with all names that are wanted together; a name that failed before is left out until its
// time
//   comes, and then gets a certificate of its own.
// - What overlaps an order that runs waits for it. Wildcards come first, then the larger sets, so that the
//   smaller ones find themselves covered.
// - A certificate that is due is renewed by the first that needs it, with the names that are wanted now.
Plan make_plan(const PlanInput& input);

// When a certificate is renewed that no authority has a wish for: at two thirds of its lifetime, earlier by
// up to a twentieth that its fingerprint decides, so that certificates of one hour do not come back in one
// second.
WallTime renewal_time(WallTime not_before, WallTime not_after, const std::string& fingerprint);

// The latest that an authority's wish to renew is heeded: with a tenth of the lifetime left, for what may
// fail.
WallTime latest_renewal(WallTime not_before, WallTime not_after);

// How long before its end a certificate is renewed where certificatesDuration was set (Traefik's schedule).
// It counts when it is earlier than renewal_time(), and leaves a third of the lifetime in use at least.
Duration renewal_lead(std::int64_t certificates_duration_hours);
inline constexpr std::int64_t kUsualDuration = 2160;  // hours; what nobody set

// A number from 0 to 1, another one each time.
double chance();

// How long a name waits after so many failures in a row: 2 minutes to a day. Five tries fit into an hour, as
// Let's Encrypt allows. `chance`: 0 to 1.
Duration name_back_off(int failures, double chance);
// How long an authority that does not answer is left alone: 5 s to half an hour.
Duration authority_back_off(int failures, double chance);

}  // namespace fairlead::acme
