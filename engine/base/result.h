#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead {

// Whose mistake a failure was: decides the log level and who is blamed.
enum class Fault : unsigned char { Client, Upstream, Proxy };

// A failure on the data path. It is named once, where it is known, and passed up unchanged.
struct Error {
  int status = 500;  // what the client gets if nobody does better: 400, 413, 502, 503, 504, …
  Fault fault = Fault::Proxy;
  bool retryable = false;  // true only when the upstream cannot have acted on the request
  std::string detail;      // for the log: "connect 172.17.0.2:80: refused"
};

template <class T = void>
using Result = std::expected<T, Error>;

// Builds the failure half of a Result: `return fail(502, Fault::Upstream, "…")`.
inline std::unexpected<Error> fail(int status, Fault fault, std::string detail, bool retryable = false) {
  return std::unexpected(Error{status, fault, retryable, std::move(detail)});
}

// A mistake in configuration: where it stands and what is wrong with it, in words a person can act on.
struct ConfigError {
  std::string path;  // option path as the user wrote it: "http.routers.web.priority"
  std::string what;  // `expected an integer, got "high"`
};

template <class T = void>
using Configured = std::expected<T, ConfigError>;

inline std::unexpected<ConfigError> misconfigured(std::string path, std::string what) {
  return std::unexpected(ConfigError{std::move(path), std::move(what)});
}

}  // namespace fairlead
