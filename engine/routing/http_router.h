#pragma once

#include "engine/http/head.h"
#include "engine/routing/rule_set.h"

#include <cstdint>
#include <optional>

namespace fairlead::routing {

// What a request does not say itself.
struct MatchContext {
  ClientAddress client;  // of the connection (or what the PROXY protocol named), never X-Forwarded-For
  Scratch& scratch;      // of the worker
};

// Finds the router of a request at one entry point. The head must be canonical already: host in lower case
// without port, path normalised and cleaned (install reference §8.2), query with `&` only.
//
// First match wins, by priority, precedence, order. Immutable and shared by all workers; the cost does not
// grow with the number of routers that name a host, and matching allocates nothing.
class HttpRouter {
 public:
  class Builder {
   public:
    // `index` is the caller's number of that router. The rule is copied as far as needed.
    void add(const Rule& rule, const Standing& standing, std::uint32_t index) {
      rules_.add(rule, standing, index);
    }
    HttpRouter build() &&;

   private:
    RuleSet rules_;
  };

  // A router without rules: matches nothing.
  HttpRouter() = default;

  // The index given to add().
  std::optional<std::uint32_t> match(const http::RequestHead& head, const MatchContext& context) const;

  // The same decision with reasons: per router tried the first clause that failed. The same evaluator runs,
  // so it cannot disagree with match(). At most `max_lines` lines, and the one that matched.
  Trace trace(const http::RequestHead& head, const MatchContext& context, TraceScope scope,
              std::size_t max_lines = 1000) const;

  std::size_t size() const { return rules_.size(); }
  std::size_t held_bytes() const { return rules_.held_bytes(); }

 private:
  explicit HttpRouter(RuleSet rules) : rules_(std::move(rules)) {}

  RuleSet rules_;
};

}  // namespace fairlead::routing
