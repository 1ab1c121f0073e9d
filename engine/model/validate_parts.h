#pragma once

#include "engine/model/dynamic.h"

#include <fmt/format.h>

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

// Breaks `user` when `name` is not among the elements or is broken itself. Returns the element when it can be
// used.
template <class T, class U>
Element<T>* require(Element<U>& user, std::map<std::string, Element<T>>& elements, const std::string& name,
                    std::string_view what) {
  const auto found = elements.find(name);
  if (found == elements.end()) {
    user.break_off(ReasonKind::MissingReference, fmt::format("the {} \"{}\" does not exist", what, name));
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

}  // namespace fairlead::model
