#pragma once

#include "engine/model/dynamic.h"
#include "engine/model/likely_name.h"
#include "engine/model/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The steps of validate(), in their order.
namespace fairlead::model {

struct Static;

void validate_tls(Tls& tls, const Static& install);
void validate_transports(Dynamic& dynamic);
// Services together with the middlewares they, and which themselves, refer to.
void validate_http_services(Http& http);
void validate_tcp_services(Tcp& tcp, const Static& install);
void validate_udp_services(Udp& udp);
void validate_routers(Dynamic& dynamic, const Static& install);

// The first reason that breaks the element; null when it is not broken.
template <class T>
const Reason* first_break(const Element<T>& element) {
  for (const Reason& reason : element.reasons)
    if (reason.breaks) return &reason;
  return nullptr;
}

// "did you mean `auth@file`?", or nothing. Among many only the same name of other providers is looked for.
template <class T>
std::string hint_for(std::string_view name, const std::map<std::string, T>& elements) {
  const std::string begin =
      elements.size() > kMostKnown ? fmt::format("{}@", split(name).name) : std::string();
  std::vector<std::string_view> known;
  for (auto at = elements.lower_bound(begin); at != elements.end() && at->first.starts_with(begin); ++at)
    known.push_back(at->first);
  const std::string likely = likely_name(name, known);
  return likely.empty() ? "" : fmt::format("did you mean `{}`?", likely);
}

// Breaks `user` when `name` is not among the elements or is broken itself. Returns the element when it can be
// used.
template <class T, class U>
Element<T>* require(Element<U>& user, std::map<std::string, Element<T>>& elements, const std::string& name,
                    std::string_view what) {
  const auto found = elements.find(name);
  if (found == elements.end()) {
    user.break_off(ReasonKind::MissingReference, fmt::format("the {} \"{}\" does not exist", what, name),
                   hint_for(name, elements));
    return nullptr;
  }
  if (const Reason* reason = first_break(found->second)) {
    user.break_off(reason->kind,
                   fmt::format("needs the {} \"{}\", which is broken: {}", what, name, reason->text),
                   reason->hint);
    return nullptr;
  }
  return &found->second;
}

// The same for each of a list. An empty name, as of `auth,`, is told once.
template <class T, class U>
void require_all(Element<U>& user, std::map<std::string, Element<T>>& elements,
                 const std::vector<std::string>& names, std::string_view what) {
  bool has_empty = false;
  for (const std::string& name : names) {
    if (!name.empty())
      require(user, elements, name, what);
    else if (!std::exchange(has_empty, true))
      user.break_off(ReasonKind::MissingReference, fmt::format("the list names an empty {}", what),
                     "remove the comma too many");
  }
}

// Servers asked more often would have nothing else to do; a date beyond a year cannot be told from never.
inline constexpr schema::Duration kShortestTime = std::chrono::milliseconds(10);
inline constexpr schema::Duration kLongestTime = std::chrono::hours(24 * 365);

// A time of a check: `by_default` where it is none, and within reason.
template <class T>
void check_time(schema::Duration& value, schema::Duration by_default, std::string_view option,
                Element<T>& element) {
  if (value <= schema::Duration::zero()) {
    element.warn(ReasonKind::BadOption,
                 fmt::format("{} must be above 0; {} is used", option, schema::print_duration(by_default)));
    value = by_default;
    return;
  }
  const schema::Duration used = std::clamp(value, kShortestTime, kLongestTime);
  if (used == value) return;
  element.warn(ReasonKind::BadOption,
               fmt::format("{} of {} is out of reason; {} is used", option, schema::print_duration(value),
                           schema::print_duration(used)));
  value = used;
}

// Those of an active check, which are the same for HTTP and TCP.
template <class Check, class T>
void check_times(Check& check, Element<T>& element) {
  check_time(check.interval, std::chrono::seconds(30), "healthCheck.interval", element);
  if (check.unhealthy_interval)
    check_time(*check.unhealthy_interval, std::chrono::seconds(30), "healthCheck.unhealthyInterval", element);
  check_time(check.timeout, std::chrono::seconds(5), "healthCheck.timeout", element);
}

}  // namespace fairlead::model
