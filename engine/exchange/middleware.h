#pragma once

#include "engine/base/task.h"
#include "engine/exchange/exchange.h"
#include "engine/exchange/response.h"

#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace fairlead::exchange {

class Chain;

// The rest of the chain, down to the service. May be called again (retry) or not at all.
class Next {
 public:
  Next(const Chain& chain, std::size_t index) : chain_(&chain), index_(index) {}
  Task<Response> operator()(Exchange& x) const;
  // Whom the chain stands before: a service, or the router of the request. Each user of a middleware that
  // counts requests is counted apart, as in Traefik.
  std::string_view owner(const Exchange& x) const;

 private:
  const Chain* chain_;
  std::size_t index_;
};

class HeadMiddleware;

// One configured middleware of a snapshot: immutable, used by all workers. What one request needs lives in
// the coroutine; what outlives requests comes from carry-over.
class Middleware {
 public:
  virtual ~Middleware() = default;
  virtual Task<Response> handle(Exchange& x, Next next) const = 0;
  // Not null when it only looks at heads: the chain then runs it without a coroutine.
  virtual const HeadMiddleware* as_head() const { return nullptr; }
  // Not empty for a group: whoever builds a Chain puts these in its place.
  virtual std::span<const std::shared_ptr<const Middleware>> members() const { return {}; }
  // Of one that counts requests: its name. A Chain holds one of that name: an entry point or a group may name
  // what the router names too, and one request counts once.
  virtual std::string_view counts_as() const { return {}; }
};

// Looks at heads only, never waits. on_response runs for every response that comes back through it, also for
// failures, but not for the one its own on_request gave.
class HeadMiddleware : public Middleware {
 public:
  // An answer ends the request here.
  virtual std::optional<Response> on_request(Exchange&) const { return std::nullopt; }
  virtual void on_response(Exchange&, Response&) const {}

  Task<Response> handle(Exchange& x, Next next) const final;
  const HeadMiddleware* as_head() const final { return this; }
};

}  // namespace fairlead::exchange
