#pragma once

#include "engine/routing/literal_index.h"
#include "engine/routing/rule.h"
#include "engine/routing/subject.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead::routing {

// Where a router stands among the others: higher priority first, then lower precedence (the position of its
// provider in `providers.precedence`), then lower order (given by the caller, for example by age).
struct Standing {
  std::int64_t priority = 0;
  std::uint32_t precedence = 0;
  std::uint64_t order = 0;
};

// One router in a trace.
struct TraceLine {
  std::uint32_t index = 0;  // as given to add()
  std::int64_t priority = 0;
  bool matched = false;
  std::string clause;  // the first clause that failed: "Host(`a.example.com`)"; empty when matched
  std::string seen;    // what the request had instead, quoted and cut, or "none"
};

struct Trace {
  std::optional<std::uint32_t> matched;  // the index that match() returns
  std::vector<TraceLine> lines;          // in the order of trial, up to and with the one that matched
  bool cut = false;                      // more routers than lines asked for
};

enum class TraceScope : std::uint8_t {
  Candidates,  // routers that the index offers for this host: cheap, for the ring of unmatched requests
  All,         // every router: for `explain`
};

// Rules in compact storage with the index that makes matching independent of their number.
//
// A rule that demands a literal host is only tried for requests of that host; where more than a handful of
// rules share a host (or demand none), those that demand a literal path or prefix are found by it. Everything
// else is tried in order. Immutable after build(): any thread may match.
class RuleSet {
 public:
  RuleSet();
  RuleSet(RuleSet&&) noexcept;
  RuleSet& operator=(RuleSet&&) noexcept;
  ~RuleSet();

  // What the rule needs is copied: it may go away. `index` is what match() returns for it.
  void add(const Rule& rule, const Standing& standing, std::uint32_t index);
  // Sorts and indexes; once, after the last add().
  void build();

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::optional<std::uint32_t> match(const Subject& subject) const;
  Trace trace(const Subject& subject, TraceScope scope, std::size_t max_lines) const;

  std::size_t held_bytes() const;

 private:
  using Place = LiteralIndex::Place;

  // A node of a rule: 24 bytes, texts in text_.
  struct Step {
    Node::Op op;
    Matcher matcher;
    bool negated;
    std::uint32_t size_or_extra;  // All, Any: nodes of the subtree; Test: number in regexes_ or networks_
    Place first;
    Place second;

    std::uint32_t size() const { return op == Node::Op::Test ? 1 : size_or_extra; }
  };

  struct Entry {
    std::uint32_t step : 31;    // root of its rule
    std::uint32_t is_host : 1;  // the rule is one literal Host: being found by it is all there is to test
    std::uint32_t index;
    std::int64_t priority;
  };

  // The routers of one host (or of none) by what they demand of the path.
  struct PathIndex {
    LiteralIndex exact;
    LiteralIndex prefix;
    std::vector<std::uint32_t> prefix_bytes;  // distinct lengths of the prefixes, ascending
    std::vector<std::uint32_t> others;
  };
  // All routers of one host; `paths` when they are many.
  struct HostIndex {
    LiteralIndex hosts;
    std::unordered_map<const std::uint32_t*, PathIndex> paths;  // by where the list begins
  };

  class NoTrace;
  class FirstFailure;

  // Up to here a scan beats hashing every prefix of the path.
  static constexpr std::size_t kScannedRules = 16;

  static bool is_wildcard_host(std::string_view host) { return host.size() > 2 && host.starts_with("*."); }
  std::string_view view(Place place) const { return {text_.data() + place.at, place.bytes}; }
  Place store(std::string_view text);
  void add_step(const Node& node);

  std::uint32_t best_rank(const Subject& subject) const;
  template <class Tracer>
  bool holds(std::uint32_t at, const Subject& subject, Tracer& tracer) const;
  bool test(const Step& step, const Subject& subject) const;
  bool test_head(const Step& step, const Subject& subject) const;
  static bool host_matches(std::string_view pattern, std::string_view host, bool empty_counts);

  // Calls visit(ranks) with every list that may hold a router for this subject.
  template <class Visit>
  void candidates(const Subject& subject, Visit visit) const;
  template <class Visit>
  void candidates_of(const HostIndex& index, std::string_view host, const Subject& subject,
                     Visit& visit) const;
  template <class Visit>
  void candidates_by_path(const PathIndex& index, std::string_view path, Visit& visit) const;

  template <class Wanted>
  bool demands(std::uint32_t at, Wanted wanted, std::vector<std::uint32_t>& found) const;
  void index_hosts();
  PathIndex index_paths(std::span<const std::uint32_t> ranks) const;
  void index_long_lists(HostIndex& index) const;

  std::string seen(const Step& step, const Subject& subject) const;
  TraceLine trace_line(std::uint32_t rank, const Subject& subject) const;

  std::vector<char> text_;
  std::vector<Step> steps_;
  std::vector<Entry> entries_;       // by rank once built
  std::vector<Standing> standings_;  // of the entries, until build()
  std::vector<std::shared_ptr<const Regex>> regexes_;
  std::vector<Network> networks_;

  HostIndex exact_;                      // "a.example.com"
  HostIndex wildcard_;                   // "example.com", of *.example.com
  std::vector<std::uint32_t> anywhere_;  // routers that demand no host
  std::unique_ptr<PathIndex> anywhere_paths_;
};

}  // namespace fairlead::routing
