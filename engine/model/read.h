#pragma once

#include "engine/model/dynamic.h"
#include "engine/schema/node.h"
#include "engine/schema/problem.h"

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::model {

// Reads the dynamic configuration of one source (a container's labels, or one file) from a tree whose top
// keys are http, tcp, udp, tls. What is wrong lands on the element it concerns:
//   router, middleware   unknown key or wrong value: broken. It keeps its place and its name; whoever needs
//   it
//                        answers 503 (a misspelt `middlewares` must not open a site)
//   service, transport   unknown key: a warning; wrong value: broken
//   tls options          anything wrong: broken, since serving with less than was asked for is not safe
// What concerns no element goes to Dynamic::reasons, and to `loose` too when given. Nothing is thrown away
// for the sake of a neighbour. `owner` of the elements is left empty and `origin` is where each stands, or
// `origin` itself.
//
// The keys enable, docker and swarm at the top are the Docker provider's and are passed over.
Dynamic read_dynamic(const schema::Node& root, const schema::Origin& origin, const MiddlewareTypes& types,
                     schema::Problems* loose = nullptr);

// Why a whole document cannot be meant as dynamic configuration, so that what it said before is to stay: text
// or a list, such as the page of a login that answers in its place, or sections of which none is known.
// Nothing when it can.
std::optional<std::string> no_configuration(const schema::Node& root);

}  // namespace fairlead::model
