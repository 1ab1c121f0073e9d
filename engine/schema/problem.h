#pragma once

#include "engine/schema/node.h"

#include <string>
#include <vector>

namespace fairlead::schema {

enum class Severity : unsigned char { Notice, Warning, Error };

// One thing that is wrong, or worth saying, about what a user wrote. The good neighbours stay; what
// the problem means for the element it belongs to is decided by whoever asked for the reading.
struct Problem {
  enum class Kind : unsigned char {
    UnknownKey,  // no option of that name
    BadValue,    // wrong type, failed check, not one of the choices
    BadSyntax,   // the text, label key or flag itself cannot be read
    Deprecated,  // works, but has a better spelling
    Ignored,     // accepted without effect: out of scope, not for labels, disabled
    NotYet,      // a known option whose behaviour does not exist yet
  };
  Kind kind = Kind::BadValue;
  Severity severity = Severity::Error;
  std::vector<std::string>
      segments;      // {"http", "routers", "web", "priority"}: free names as written, options as tabled
  std::string path;  // as written: the whole label, flag or variable, or the dotted path in a file
  std::string key;   // the last segment as written
  Origin origin;
  std::string what;        // `expected an integer, got "high"`
  std::string suggestion;  // nearest valid spelling, or empty: "loadbalancer.server.port"

  // "traefik.http.routers.web.priority (container shop-1): expected an integer, got "high""
  std::string text() const;
};

using Problems = std::vector<Problem>;
using Path = std::vector<std::string>;

}  // namespace fairlead::schema
