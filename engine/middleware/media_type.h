#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::middleware {

// A Content-Type taken apart (RFC 9110 §8.3.1).
struct MediaType {
  std::string type;                               // "text/html", lower case
  std::map<std::string, std::string> parameters;  // names in lower case

  // Nothing when it is not well-formed.
  static std::optional<MediaType> parse(std::string_view text);
  // The same type; parameters count only when this one has some.
  bool covers(const MediaType& other) const;
};

}  // namespace fairlead::middleware
