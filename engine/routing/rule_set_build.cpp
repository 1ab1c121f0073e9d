#include "engine/routing/rule_set.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace fairlead::routing {

RuleSet::RuleSet() = default;
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet& RuleSet::operator=(RuleSet&&) noexcept = default;
RuleSet::~RuleSet() = default;

LiteralIndex::Place RuleSet::store(std::string_view text) {
  const Place place{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
  text_.insert(text_.end(), text.begin(), text.end());
  return place;
}

void RuleSet::add_step(const Node& node) {
  Step step{node.op, node.matcher, node.negated, node.size, {}, {}};
  if (node.op == Node::Op::Test) {
    step.first = store(node.first);
    step.second = store(node.second);
    if (node.regex) {
      step.size_or_extra = static_cast<std::uint32_t>(regexes_.size());
      regexes_.push_back(node.regex);
    } else if (node.matcher == Matcher::ClientIp) {
      step.size_or_extra = static_cast<std::uint32_t>(networks_.size());
      networks_.push_back(node.network);
    }
  }
  steps_.push_back(step);
}

void RuleSet::add(const Rule& rule, const Standing& standing, std::uint32_t index) {
  entries_.push_back({static_cast<std::uint32_t>(steps_.size()), false, index, standing.priority});
  standings_.push_back(standing);
  for (const Node& node : rule.nodes) add_step(node);
}

void RuleSet::build() {
  std::vector<std::uint32_t> by_rank(entries_.size());
  std::iota(by_rank.begin(), by_rank.end(), 0);
  std::ranges::sort(by_rank, [this](std::uint32_t a, std::uint32_t b) {
    const Standing& left = standings_[a];
    const Standing& right = standings_[b];
    if (left.priority != right.priority) return left.priority > right.priority;
    return std::tie(left.precedence, left.order, a) < std::tie(right.precedence, right.order, b);
  });
  std::vector<Entry> sorted;
  sorted.reserve(entries_.size());
  for (const std::uint32_t entry : by_rank) sorted.push_back(entries_[entry]);
  entries_ = std::move(sorted);
  standings_ = {};
  text_.shrink_to_fit();
  steps_.shrink_to_fit();
  index_hosts();
}

// Collects Tests of which at least one must hold for the rule to hold, all of the wanted kind. False, and
// nothing collected, when the rule can hold without any such.
template <class Wanted>
bool RuleSet::demands(std::uint32_t at, Wanted wanted, std::vector<std::uint32_t>& found) const {
  const Step& step = steps_[at];
  if (step.op == Node::Op::Test) {
    if (step.negated || !wanted(step)) return false;
    found.push_back(at);
    return true;
  }
  const std::size_t before = found.size();
  for (std::uint32_t child = at + 1; child < at + step.size(); child += steps_[child].size()) {
    const bool demanded = demands(child, wanted, found);
    if (step.op == Node::Op::All && demanded) return true;
    if (step.op == Node::Op::Any && !demanded) {
      found.resize(before);
      return false;
    }
  }
  return step.op == Node::Op::Any;
}

void RuleSet::index_hosts() {
  const auto literal_host = [this](const Step& step) {
    return (step.matcher == Matcher::Host || step.matcher == Matcher::HostSni) && view(step.first) != "*";
  };
  std::vector<std::uint32_t> found;
  for (std::uint32_t rank = 0; rank < entries_.size(); ++rank) {
    found.clear();
    if (!demands(entries_[rank].step, literal_host, found)) {
      anywhere_.push_back(rank);
      continue;
    }
    for (const std::uint32_t at : found) {
      const Place host = steps_[at].first;
      if (is_wildcard_host(view(host))) {
        wildcard_.hosts.add(text_.data(), {host.at + 2, host.bytes - 2}, rank);
      } else {
        exact_.hosts.add(text_.data(), host, rank);
        entries_[rank].is_host = at == entries_[rank].step;
      }
    }
  }
  index_long_lists(exact_);
  index_long_lists(wildcard_);
  if (anywhere_.size() > kScannedRules) anywhere_paths_ = std::make_unique<PathIndex>(index_paths(anywhere_));
}

void RuleSet::index_long_lists(HostIndex& index) const {
  index.hosts.seal();
  index.hosts.each_longer_than(kScannedRules, [&](std::span<const std::uint32_t> ranks) {
    index.paths.emplace(ranks.data(), index_paths(ranks));
  });
}

RuleSet::PathIndex RuleSet::index_paths(std::span<const std::uint32_t> ranks) const {
  const auto literal_path = [](const Step& step) {
    return step.matcher == Matcher::Path || step.matcher == Matcher::PathPrefix;
  };
  PathIndex index;
  std::vector<std::uint32_t> found;
  for (const std::uint32_t rank : ranks) {
    found.clear();
    if (!demands(entries_[rank].step, literal_path, found)) {
      index.others.push_back(rank);
      continue;
    }
    for (const std::uint32_t at : found) {
      const Step& step = steps_[at];
      if (step.matcher == Matcher::Path) {
        index.exact.add(text_.data(), step.first, rank);
      } else {
        index.prefix.add(text_.data(), step.first, rank);
        index.prefix_bytes.push_back(step.first.bytes);
      }
    }
  }
  index.exact.seal();
  index.prefix.seal();
  std::ranges::sort(index.prefix_bytes);
  const auto repeated = std::ranges::unique(index.prefix_bytes);
  index.prefix_bytes.erase(repeated.begin(), repeated.end());
  return index;
}

}  // namespace fairlead::routing
