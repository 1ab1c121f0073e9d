#include "acme/plan.h"

#include "acme/chain.h"
#include "engine/base/strings.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>

namespace fairlead::acme {
namespace {

// Certificates by what they cover, so that a plan for thousands of names looks at few.
class Cover {
 public:
  explicit Cover(const std::vector<InHand>& all, WallTime now) {
    for (const InHand& one : all)
      if (one.not_after > now)
        for (const std::string& name : one.names) by_name_[name].push_back(&one);
  }

  // A configured one, else the issued one that is renewed last; null: none.
  const InHand* best(const std::string& name) const {
    const InHand* out = best_of(name, nullptr);
    const auto dot = name.find('.');
    if (dot == std::string::npos || dot == 0 || name.starts_with("*.")) return out;
    return best_of("*" + name.substr(dot), out);
  }

 private:
  const InHand* best_of(const std::string& key, const InHand* so_far) const {
    const auto found = by_name_.find(key);
    if (found == by_name_.end()) return so_far;
    for (const InHand* one : found->second)
      if (!so_far || (so_far->issued && (!one->issued || one->renew_at > so_far->renew_at))) so_far = one;
    return so_far;
  }

  std::map<std::string, std::vector<const InHand*>, std::less<>> by_name_;
};

bool has_wildcard(const Wanted& wanted) {
  return std::ranges::any_of(wanted.names, [](const std::string& name) { return name.starts_with("*."); });
}

class Planner {
 public:
  explicit Planner(const PlanInput& input)
      : in_(input), cover_(input.in_hand, input.now), busy_(input.busy) {}

  Plan run() {
    std::vector<const Wanted*> order;
    for (const Wanted& wanted : in_.wanted) order.push_back(&wanted);
    std::ranges::sort(order, [](const Wanted* a, const Wanted* b) {
      if (has_wildcard(*a) != has_wildcard(*b)) return has_wildcard(*a);
      if (a->names.size() != b->names.size()) return a->names.size() > b->names.size();
      return a->names < b->names;
    });
    for (const Wanted* wanted : order) look_at(*wanted);
    // What has never failed comes before what is tried once more: a slow name delays no other.
    std::multimap<int, Task> by_failures;
    for (Task& task : out_.tasks) {
      const int failures = failures_of(task);
      by_failures.emplace(failures, std::move(task));
    }
    out_.tasks.clear();
    for (auto& [failures, task] : by_failures) out_.tasks.push_back(std::move(task));
    return std::move(out_);
  }

 private:
  void look_at(const Wanted& wanted);
  void order(const Wanted& wanted, std::vector<std::string> names, const std::string& replaces);
  void wake_at(WallTime time) {
    if (time > in_.now) out_.next = std::min(out_.next, time);
  }
  const NameState* state(const Wanted& wanted, const std::string& name) const {
    const NameState* found = in_.state(wanted.resolver, name);
    return found && found->failures > 0 ? found : nullptr;
  }
  int failures_of(const Task& task) const {
    int most = 0;
    for (const std::string& name : task.names)
      if (const NameState* known = in_.state(task.resolver, name)) most = std::max(most, known->failures);
    return most;
  }
  bool waits(const Wanted& wanted, const std::string& name) {
    const NameState* known = state(wanted, name);
    if (!known || !known->waits(in_.now)) return false;
    wake_at(known->next_try);
    return true;
  }
  // An order that runs will cover the name, or is about the name itself.
  bool overlaps(const std::string& name) const {
    if (busy_.contains(name)) return true;
    const auto dot = name.find('.');
    return dot != std::string::npos && !name.starts_with("*.") && busy_.contains("*" + name.substr(dot));
  }

  const PlanInput& in_;
  const Cover cover_;
  std::set<std::string> busy_;
  std::set<std::string> claimed_;  // certificates that are due and have somebody who renews them
  Plan out_;
};

void Planner::order(const Wanted& wanted, std::vector<std::string> names, const std::string& replaces) {
  if (names.empty()) return;
  busy_.insert(names.begin(), names.end());
  out_.tasks.push_back({wanted.resolver, std::move(names), wanted.routers, replaces});
}

void Planner::look_at(const Wanted& wanted) {
  std::vector<std::string> missing;  // without a valid certificate
  std::vector<std::string> due;      // with one that is to be renewed
  std::string replaces;
  bool overlapping = false;
  for (const std::string& name : wanted.names) {
    overlapping |= overlaps(name);
    const InHand* best = cover_.best(name);
    if (!best) {
      missing.push_back(name);
      continue;
    }
    wake_at(best->not_after);
    if (!best->issued) continue;
    out_.used.insert(best->fingerprint);
    if (best->renew_at > in_.now) {
      wake_at(best->renew_at);
    } else if (!claimed_.contains(best->fingerprint)) {
      due.push_back(name);
      replaces = best->fingerprint;
    }
  }
  if (!wanted.may_order || (missing.empty() && due.empty())) return;
  if (overlapping) return;  // its end is an event
  if (const WallTime until = in_.closed_until(wanted.resolver); until > in_.now) {
    wake_at(until);
    return;
  }
  std::vector<std::string> ready;  // of all names, those that need not wait for their time
  for (const std::string& name : wanted.names)
    if (!waits(wanted, name)) ready.push_back(name);
  const auto is_ready = [&ready](const std::string& name) {
    return std::ranges::find(ready, name) != ready.end();
  };
  const auto needs = [&](const std::vector<std::string>& names) {
    // Together, unless they are the remainder that others went ahead of.
    const bool remainder =
        names.size() < wanted.names.size() &&
        std::ranges::all_of(names, [&](const auto& name) { return state(wanted, name) != nullptr; });
    if (!remainder && std::ranges::any_of(names, is_ready)) return order(wanted, ready, replaces);
    if (remainder)
      for (const std::string& name : names)
        if (is_ready(name)) order(wanted, {name}, {});
  };
  const std::size_t before = out_.tasks.size();
  if (!missing.empty()) needs(missing);
  if (out_.tasks.size() == before && !due.empty()) needs(due);
  for (const std::string& name : due) claimed_.insert(cover_.best(name)->fingerprint);
}

}  // namespace

Plan make_plan(const PlanInput& input) { return Planner(input).run(); }

WallTime renewal_time(WallTime not_before, WallTime not_after, const std::string& fingerprint) {
  const Duration life = not_after - not_before;
  const auto thousandth = static_cast<std::int64_t>(fnv1a(fingerprint) % 1000);
  return not_before + life / 3 * 2 - life / 20'000 * thousandth;
}

WallTime latest_renewal(WallTime not_before, WallTime not_after) {
  return not_after - (not_after - not_before) / 10;
}

Duration renewal_lead(std::int64_t hours) {
  using namespace std::chrono_literals;
  if (hours >= 8760) return 2880h;
  if (hours >= 2160) return 720h;
  if (hours >= 720) return 240h;
  if (hours >= 144) return 48h;
  if (hours >= 24) return 6h;
  return 20min;
}

double chance() {
  thread_local std::minstd_rand dice(std::random_device{}());
  return std::uniform_real_distribution<>(0, 1)(dice);
}

Duration name_back_off(int failures, double chance) {
  using namespace std::chrono_literals;
  static constexpr std::array<Duration, 10> kSteps = {2min, 5min, 15min, 30min, 1h, 2h, 4h, 8h, 16h, 24h};
  const auto step = static_cast<std::size_t>(std::clamp(failures, 1, static_cast<int>(kSteps.size()))) - 1;
  // A tenth more or less: names that failed together do not come back together.
  return std::chrono::duration_cast<Duration>(kSteps[step] * (0.9 + 0.2 * chance));
}

Duration authority_back_off(int failures, double chance) {
  const int doublings = std::clamp(failures - 1, 0, 9);
  const Duration base =
      std::min<Duration>(std::chrono::seconds(5) * (1 << doublings), std::chrono::minutes(30));
  return std::chrono::duration_cast<Duration>(base * (0.8 + 0.4 * chance));
}

}  // namespace fairlead::acme
