#include "engine/service/load_balancer.h"

#include "engine/base/strings.h"
#include "engine/service/client_span.h"
#include "engine/service/connection_login.h"
#include "engine/upstream/own_want.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fairlead::service {
namespace {

using exchange::Exchange;
using exchange::Response;

constexpr auto kRefusedPause = std::chrono::milliseconds(50);  // between rounds while a successor is awaited
constexpr std::size_t kMaxTries = 16;
constexpr std::size_t kMaxReasons = 10;  // servers whose illness a 503 tells

// A container's state is told at once, its reasons come with the next configuration.
std::string_view word_of(upstream::Phase phase) {
  switch (phase) {
    case upstream::Phase::Starting: return "starting";
    case upstream::Phase::Resting: return "unhealthy";
    case upstream::Phase::Draining: return "stopping";
    case upstream::Phase::Gone: return "stopped";
    case upstream::Phase::Ready: break;
  }
  return {};
}

// RFC 9110 §9.2.2: these can be sent again when the connection ends before any byte of the answer.
bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> kMethods = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::ranges::find(kMethods, method) != kMethods.end();
}

// Takes a request's place among those that are held; false when there is none.
class HeldPlace {
 public:
  HeldPlace(upstream::ServiceState& state, std::uint32_t limit) : state_(state) {
    taken = state_.held.fetch_add(1, std::memory_order_relaxed) < limit;
    if (!taken) state_.held.fetch_sub(1, std::memory_order_relaxed);
  }
  HeldPlace(const HeldPlace&) = delete;
  HeldPlace& operator=(const HeldPlace&) = delete;
  ~HeldPlace() {
    if (taken) state_.held.fetch_sub(1, std::memory_order_relaxed);
  }
  bool taken = false;

 private:
  upstream::ServiceState& state_;
};

// Servers were asked in vain: what the service came to is our own answer.
void note_no_answer(Exchange& x, TimePoint begun, int status) {
  x.record.service_status = status;
  x.record.origin_duration = x.loop.now() - begun;
}

}  // namespace

Response LoadBalancer::unavailable(Exchange& x, const upstream::ServerSet* set, const Error* refusal) const {
  std::string detail = fmt::format("service {}: no available server", options_.name);
  if (set && !set->obstacles.empty()) {
    x.record.reason = set->obstacles.front().short_text;
    for (const upstream::Obstacle& obstacle : set->obstacles)
      detail += fmt::format("; {}", obstacle.full_text);
  }
  for (std::size_t i = 0; set && i < std::min(set->servers.size(), kMaxReasons); ++i) {
    const upstream::Health& health = set->servers[i].state->health;
    const std::string_view word = word_of(set->servers[i].state->phase.load(std::memory_order_relaxed));
    if (!word.empty() && set->obstacles.empty()) {
      if (x.record.reason.empty()) x.record.reason = word;
      detail += fmt::format("; {}: {}", set->servers[i].address.url, word);
    }
    if (health.good()) {
      // Well, ready and not even asked: that is what a weight of 0 does.
      if (!refusal && word.empty() && set->servers[i].weight <= 0)
        detail += fmt::format("; {}: its weight is 0", set->servers[i].address.url);
      continue;
    }
    if (x.record.reason.empty()) x.record.reason = "unhealthy";
    const upstream::Illness illness = health.illness();
    detail +=
        fmt::format("; {}: unhealthy for {} s: {}", set->servers[i].address.url,
                    std::chrono::duration_cast<std::chrono::seconds>(x.loop.now() - illness.began).count(),
                    illness.reason);
  }
  if (refusal) {
    if (x.record.reason.empty()) x.record.reason = "unreachable";
    detail += fmt::format("; {}", refusal->detail);
  }
  if (x.record.reason.empty()) x.record.reason = "no server";
  x.record.cause = Error{503, Fault::Upstream, true, std::move(detail)};
  Response response = exchange::answer(x, 503, "no available server\n");
  response.cause = x.record.cause;
  return response;
}

// Counts for the passive check: a server that was never reached, or answered with 5xx.
void LoadBalancer::note_failure(Exchange& x, upstream::ServerState& server, std::string_view why) const {
  if (options_.passive.max_failed == 0) return;
  if (!server.health.failures.add(x.loop.now(), options_.passive.window, options_.passive.max_failed)) return;
  server.health.fail({fmt::format("{} requests failed, the last one: {}", options_.passive.max_failed, why),
                      x.loop.wall(), x.loop.now(), true});
}

// Waits for a successor of the last server, in a service of another name where the router has one now: `set`.
// True when there may be one.
Task<bool> LoadBalancer::hold(Exchange& x, TimePoint until, upstream::SetId& set) const {
  const upstream::SetId former = set;
  const upstream::Pools::Local* local = x.pools.find_successor(set);
  if (!x.may_hold || !local || !local->set->holds || options_.hold.requests == 0) co_return false;
  if (set != former && local->set->any_usable()) co_return true;
  const std::shared_ptr<upstream::ServiceState> state = local->set->state;
  const TimePoint left{Duration(state->last_left.load(std::memory_order_relaxed))};
  if (left == TimePoint{} || x.loop.now() - left > options_.hold.after) co_return false;
  HeldPlace place(*state, options_.hold.requests);
  if (!place.taken) co_return false;
  for (;;) {
    if (x.loop.now() >= until) co_return false;
    upstream::Pools::Change change = x.pools.change(until);
    co_await change;
    local = x.pools.find_successor(set);
    if (!local) co_return false;
    if (local->set->any_usable()) co_return true;
  }
}

Response LoadBalancer::failed(Exchange& x, TimePoint begun, Error error) {
  note_no_answer(x, begun, error.status);
  return exchange::failure(x, std::move(error));
}

Task<Response> LoadBalancer::serve(Exchange& x) const {
  const TimePoint begun = x.loop.now();
  const TimePoint hold_until = begun + options_.hold.time;
  upstream::SetId set_id = options_.set;
  Tried tried;
  std::optional<Error> last;
  bool sent_again = false;
  bool fresh = false;
  bool turned_down = false;  // once; a server that does it again is neither asked nor waited for any more
  bool hopeless = false;
  for (std::size_t tries = 0;;) {
    const upstream::Pools::Local* local = x.pools.find(set_id);
    int index = kNoServer;
    bool set_cookie = false;
    if (local) {
      const upstream::Sticky* sticky = local->set->sticky.get();
      upstream::Sticky::Hit pinned;
      if (sticky) pinned = sticky->find(x.request.fields);
      if (pinned.target >= 0 && can_take(local->set->servers[static_cast<std::size_t>(pinned.target)], tried))
        index = pinned.target;
      else
        index = picker_->pick(*local->set, x, tried);
      set_cookie = sticky && (index != pinned.target || pinned.legacy);
    }
    if (index == kNoServer) {
      if (hopeless) co_return failed(x, begun, std::move(*last));
      if (last && x.may_hold && local && local->set->holds && local->set->any_usable() &&
          x.loop.now() < hold_until && options_.hold.requests > 0) {
        // Every server refused, although none has been reported gone yet: its event is on its way.
        local->set->state->last_left.store(x.loop.now().time_since_epoch().count(),
                                           std::memory_order_relaxed);
        co_await x.loop.sleep(kRefusedPause);
        tried.clear();
        continue;
      }
      const bool again = co_await hold(x, hold_until, set_id);
      if (again) {
        tried.clear();
        continue;
      }
      local = x.pools.find(set_id);
      const upstream::ServerSet* const left = local ? local->set.get() : nullptr;
      // What a container refused was held for its successor, in vain.
      const bool was_held = left && left->holds && x.may_hold && options_.hold.requests > 0;
      if (last && !(was_held && last->status == 502)) co_return failed(x, begun, std::move(*last));
      if (last) note_no_answer(x, begun, 503);
      co_return unavailable(x, left, last ? &*last : nullptr);
    }
    // The set may be swapped while this request waits: what it needs of the server is held on its own.
    const std::shared_ptr<const upstream::ServerSet> set = local->set;
    const upstream::Server& server = set->servers[static_cast<std::size_t>(index)];
    if (tries == 0)
      x.record.begin_service(set_id == options_.set ? std::string_view(options_.name)
                                                    : x.arena().copy(set->service));
    x.record.server_url = x.arena().copy(server.address.url);
    x.record.server_address = x.arena().copy(server.address.host_port);
    upstream::Pool& pool = *local->pools[static_cast<std::size_t>(index)];
    if (tries++ > 0) ++x.record.retries;
    observe::OpenSpan span;
    if (x.trace) span = begin_client_span(x, server);
    Result<http::ClientStreamPtr> stream =
        co_await pool.take({.fresh = fresh,
                            .http1 = !x.request.upgrade.empty(),
                            .bound_to = x.binding && x.binding->has_logins ? x.binding->id : 0,
                            .client = net::ProxiedEnds{x.client, x.local}});
    fresh = false;
    if (!stream) {
      last = std::move(stream.error());
      if (x.trace) end_client_span(x, span, *last);
      if (!upstream::is_own_want(*last)) note_failure(x, *server.state, last->detail);
      tried.push_back(server.state.get());
      if (!last->retryable || tries >= kMaxTries * 64) co_return failed(x, begun, std::move(*last));
      continue;
    }
    std::unique_ptr<Attempt, http::ReleaseBody> attempt(
        new Attempt(x, std::move(*stream), server.state, begun));
    if (sends_connection_login(x.request.fields)) attempt->bind_connection();
    const TimePoint asked = x.loop.now();
    Response response(x.arena());
    Result<> outcome = attempt->send(server, options_.forward);
    if (outcome) {
      const Duration limit = set->transport->response_header_timeout;
      const TimePoint deadline = limit > Duration{} ? x.loop.now() + limit : TimePoint::max();
      outcome = co_await attempt->receive(response.head, deadline);
    }
    x.sent_upstream = x.sent_upstream || attempt->stream().sent_anything();
    if (!outcome) {
      Error error = std::move(outcome.error());
      if (x.trace) end_client_span(x, span, error);
      if (error.fault != Fault::Client && !upstream::is_own_want(error))
        note_failure(x, *server.state, error.detail);
      const bool untouched = !attempt->body_touched();
      const bool unsent = !attempt->stream().sent_anything();
      const bool reused = attempt->stream().reused();
      const bool refused = attempt->stream().turned_down();
      const bool stale = !attempt->stream().received_anything() && error.status == 502;
      attempt.reset();
      if (untouched && error.fault == Fault::Upstream && stale && tries < kMaxTries) {
        if (unsent || (is_idempotent(x.request.method) && !std::exchange(sent_again, true))) {
          // The same server on a new connection may do: only a pooled one went stale.
          fresh = true;
          last = std::move(error);
          last->retryable = true;
          if (refused) hopeless = std::exchange(turned_down, true);
          if (refused ? hopeless : unsent && !reused) tried.push_back(server.state.get());
          continue;
        }
      }
      co_return failed(x, begun, std::move(error));
    }
    if (x.trace) end_client_span(x, span, response.head);
    x.record.origin_status = x.record.service_status = response.head.status;
    x.record.server_answered = true;
    if (response.head.status == 401 && asks_for_connection_login(response.head.fields))
      attempt->bind_connection();
    if (response.head.status >= 500)
      note_failure(x, *server.state, fmt::format("status {}", response.head.status));
    else if (options_.passive.max_failed > 0)
      server.state->health.failures.clear();
    if (x.keep_origin_fields) x.origin_fields = response.head.fields;
    x.record.server_duration = x.loop.now() - asked;
    server.state->response_times.add(x.record.server_duration);
    if (set_cookie) set->sticky->set(response.head.fields, index);
    // As in Traefik: what has no length, or is a stream of events, waits for nothing.
    response.flush_each =
        options_.forward.flush_each || !response.head.content_length ||
        istarts_with(response.head.fields.get(http::Name::ContentType), "text/event-stream");
    if (attempt->take_body(response.head)) {
      if (response.head.status == 101) response.upgraded = attempt.get();
      response.body = http::BodyPtr(attempt.release());
    }
    co_return response;
  }
}

}  // namespace fairlead::service
