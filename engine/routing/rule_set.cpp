#include "engine/routing/rule_set.h"

#include "engine/base/strings.h"
#include "engine/routing/regex.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace fairlead::routing {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

constexpr std::size_t kSeenBytes = 128;  // of a value in a trace

// The part behind the first label, "" when there is none or the label is empty.
std::string_view parent_domain(std::string_view host) {
  const std::size_t dot = host.find('.');
  return dot == host.npos || dot == 0 ? std::string_view{} : host.substr(dot + 1);
}

bool is_secret_field(std::string_view name) {
  return iequals(name, "Authorization") || iequals(name, "Cookie") || iequals(name, "Proxy-Authorization");
}

// Any line of that field with visit(value) true. Host is no header here: it is matched by Host().
template <class Visit>
bool any_field_value(const http::Fields& fields, std::string_view name, Visit visit) {
  for (const http::Field& line : fields)
    if (line.known != http::Name::Host && iequals(line.name, name) && visit(line.value)) return true;
  return false;
}

}  // namespace

class RuleSet::NoTrace {
 public:
  void failed(std::uint32_t) {}
  std::uint32_t mark() const { return kNone; }
  void rewind(std::uint32_t) {}
};

// Remembers the first clause that failed, unless an alternative to it held.
class RuleSet::FirstFailure {
 public:
  void failed(std::uint32_t step) {
    if (step_ == kNone) step_ = step;
  }
  std::uint32_t mark() const { return step_; }
  void rewind(std::uint32_t mark) { step_ = mark; }

 private:
  std::uint32_t step_ = kNone;
};

template <class Visit>
void RuleSet::candidates_by_path(const PathIndex& index, std::string_view path, Visit& visit) const {
  visit(index.exact.find(text_.data(), path));
  for (const std::uint32_t bytes : index.prefix_bytes) {
    if (bytes > path.size()) break;
    visit(index.prefix.find(text_.data(), path.substr(0, bytes)));
  }
  visit(std::span(index.others));
}

template <class Visit>
void RuleSet::candidates_of(const HostIndex& index, std::string_view host, const Subject& subject,
                            Visit& visit) const {
  const auto ranks = index.hosts.find(text_.data(), host);
  if (ranks.size() <= kScannedRules) return visit(ranks);
  candidates_by_path(index.paths.at(ranks.data()), subject.path, visit);
}

template <class Visit>
void RuleSet::candidates(const Subject& subject, Visit visit) const {
  candidates_of(exact_, subject.host, subject, visit);
  if (!wildcard_.hosts.empty())
    if (const std::string_view parent = parent_domain(subject.host); !parent.empty())
      candidates_of(wildcard_, parent, subject, visit);
  if (anywhere_paths_)
    candidates_by_path(*anywhere_paths_, subject.path, visit);
  else
    visit(std::span(anywhere_));
}

std::uint32_t RuleSet::best_rank(const Subject& subject) const {
  // Each list is tried in order and only as far as it could still beat what another list found.
  std::uint32_t best = kNone;
  NoTrace tracer;
  candidates(subject, [&](std::span<const std::uint32_t> ranks) {
    for (const std::uint32_t rank : ranks) {
      if (rank >= best) return;
      // A rule that its host has found already is not read again: among many thousands it is in no cache.
      const Entry& entry = entries_[rank];
      if (entry.is_host || holds(entry.step, subject, tracer)) {
        best = rank;
        return;
      }
    }
  });
  return best;
}

std::optional<std::uint32_t> RuleSet::match(const Subject& subject) const {
  const std::uint32_t best = best_rank(subject);
  if (best == kNone) return std::nullopt;
  return entries_[best].index;
}

template <class Tracer>
bool RuleSet::holds(std::uint32_t at, const Subject& subject, Tracer& tracer) const {
  const Step& step = steps_[at];
  if (step.op == Node::Op::Test) {
    const bool held = test(step, subject) != step.negated;
    if (!held) tracer.failed(at);
    return held;
  }
  const auto before = tracer.mark();
  const bool any = step.op == Node::Op::Any;
  for (std::uint32_t child = at + 1; child < at + step.size(); child += steps_[child].size()) {
    if (holds(child, subject, tracer) != any) continue;
    if (any) tracer.rewind(before);
    return any;
  }
  return !any;
}

bool RuleSet::host_matches(std::string_view pattern, std::string_view host, bool empty_counts) {
  if (pattern == "*") return empty_counts || !host.empty();
  if (is_wildcard_host(pattern)) return parent_domain(host) == pattern.substr(2);
  return host == pattern;
}

bool RuleSet::test(const Step& step, const Subject& subject) const {
  const std::string_view first = view(step.first);
  switch (step.matcher) {
    case Matcher::Host: return host_matches(first, subject.host, false);
    case Matcher::HostSni: return host_matches(first, subject.host, true);
    case Matcher::HostRegexp:
    case Matcher::HostSniRegexp: return regexes_[step.size_or_extra]->matches(subject.host);
    case Matcher::ClientIp: return networks_[step.size_or_extra].contains(subject.client);
    case Matcher::Alpn: return std::ranges::find(subject.alpn, first) != subject.alpn.end();
    case Matcher::Path: return subject.path == first;
    case Matcher::PathPrefix: return subject.path.starts_with(first);
    case Matcher::PathRegexp: return regexes_[step.size_or_extra]->matches(subject.path);
    default: return subject.head && test_head(step, subject);
  }
}

bool RuleSet::test_head(const Step& step, const Subject& subject) const {
  const http::RequestHead& head = *subject.head;
  const std::string_view first = view(step.first);
  const std::string_view second = view(step.second);
  const auto equals = [second](std::string_view value) { return value == second; };
  const auto matches = [&](std::string_view value) { return regexes_[step.size_or_extra]->matches(value); };
  switch (step.matcher) {
    case Matcher::Method: return head.method == first;
    case Matcher::Header: return any_field_value(head.fields, first, equals);
    case Matcher::HeaderRegexp: return any_field_value(head.fields, first, matches);
    case Matcher::Query: return any_query_value(head.query, first, subject.scratch->value, equals);
    case Matcher::QueryRegexp: return any_query_value(head.query, first, subject.scratch->value, matches);
    default: return false;
  }
}

std::string RuleSet::seen(const Step& step, const Subject& subject) const {
  const auto shown = [](std::string_view value) {
    return value.empty() ? "none" : quoted(value, kSeenBytes);
  };
  const std::string_view first = view(step.first);
  std::string out;
  const auto collect = [&](std::string_view value) {
    if (!out.empty()) out += ", ";
    out += quoted(value, kSeenBytes);
    return out.size() > 2 * kSeenBytes;
  };
  switch (step.matcher) {
    case Matcher::Host:
    case Matcher::HostRegexp:
    case Matcher::HostSni:
    case Matcher::HostSniRegexp: return shown(subject.host);
    case Matcher::Path:
    case Matcher::PathPrefix:
    case Matcher::PathRegexp: return shown(subject.path);
    case Matcher::ClientIp: return quoted(text(subject.client));
    case Matcher::Alpn: (void)std::ranges::any_of(subject.alpn, collect); break;
    case Matcher::Method: return subject.head ? shown(subject.head->method) : "none";
    case Matcher::Header:
    case Matcher::HeaderRegexp:
      if (!subject.head) break;
      any_field_value(subject.head->fields, first, collect);
      if (!out.empty() && is_secret_field(first)) return "a value that is not shown";
      break;
    case Matcher::Query:
    case Matcher::QueryRegexp:
      if (subject.head) any_query_value(subject.head->query, first, subject.scratch->value, collect);
      break;
  }
  return out.empty() ? "none" : out;
}

TraceLine RuleSet::trace_line(std::uint32_t rank, const Subject& subject) const {
  const Entry& entry = entries_[rank];
  TraceLine line{
      .index = entry.index, .priority = entry.priority, .matched = false, .clause = {}, .seen = {}};
  FirstFailure tracer;
  line.matched = holds(entry.step, subject, tracer);
  if (line.matched) return line;
  const Step& step = steps_[tracer.mark()];
  line.clause = clause_text(step.matcher, step.negated, view(step.first), view(step.second));
  line.seen = seen(step, subject);
  return line;
}

Trace RuleSet::trace(const Subject& subject, TraceScope scope, std::size_t max_lines) const {
  std::vector<std::uint32_t> tried;
  if (scope == TraceScope::All) {
    tried.resize(entries_.size());
    std::iota(tried.begin(), tried.end(), 0);
  } else {
    candidates(subject, [&](std::span<const std::uint32_t> ranks) {
      tried.insert(tried.end(), ranks.begin(), ranks.end());
    });
    std::ranges::sort(tried);
    const auto repeated = std::ranges::unique(tried);
    tried.erase(repeated.begin(), repeated.end());
  }

  Trace trace;
  const std::uint32_t best = best_rank(subject);
  if (best != kNone) trace.matched = entries_[best].index;
  for (const std::uint32_t rank : tried) {
    const bool last = rank == best;
    // The one that matched is always shown, in place of what did not fit.
    if (trace.lines.size() >= max_lines && !last) {
      trace.cut = true;
      if (!trace.matched) break;
      continue;
    }
    trace.lines.push_back(trace_line(rank, subject));
    if (last) break;
  }
  return trace;
}

std::size_t RuleSet::held_bytes() const {
  const auto of = [](const auto& items) { return items.capacity() * sizeof(items[0]); };
  const auto of_paths = [&](const PathIndex& paths) {
    return paths.exact.held_bytes() + paths.prefix.held_bytes() + of(paths.prefix_bytes) + of(paths.others);
  };
  std::size_t bytes = of(text_) + of(steps_) + of(entries_) + of(regexes_) + of(networks_) + of(anywhere_) +
                      exact_.hosts.held_bytes() + wildcard_.hosts.held_bytes();
  for (const HostIndex* index : {&exact_, &wildcard_})
    for (const auto& [ranks, paths] : index->paths) bytes += sizeof paths + of_paths(paths);
  if (anywhere_paths_) bytes += of_paths(*anywhere_paths_);
  return bytes;
}

}  // namespace fairlead::routing
