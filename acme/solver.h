#pragma once

#include "engine/base/result.h"

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace fairlead::acme {

// Variables of the process; tests give their own. Nothing for one that is not set, or empty.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// How a name is proven (RFC 8555 §8, RFC 8737).
enum class ChallengeType : unsigned char { Http01, TlsAlpn01, Dns01 };

// As authorities write it: "http-01".
std::string_view name(ChallengeType type);

// What is to be proven, for one challenge of one authorization.
struct Authorization {
  std::string name;       // "example.com" (also where the certificate is for *.example.com), or an address
  bool wildcard = false;  // the certificate is for *.name: two authorizations of an order may have one name
  bool is_address = false;
  std::string token;
};

// Puts answers to an authority's questions where it looks for them. Called by several order threads at once;
// each call may block, and returns within milliseconds when a stop is asked for.
class Solver {
 public:
  virtual ~Solver() = default;
  virtual ChallengeType type() const = 0;

  // Puts the answer in place. `key_authorization` is token.thumbprint; what a challenge makes of it (the
  // SHA-256 for DNS and TLS) is the solver's part. Error::detail is told to the owner of the router.
  virtual Result<> present(const Authorization& authorization, const std::string& key_authorization,
                           std::stop_token stop) = 0;
  // Returns once the authority can see the answer. All authorizations of an order are presented before the
  // first of them is waited for.
  virtual Result<> wait_until_visible(const Authorization& authorization,
                                      const std::string& key_authorization, std::stop_token stop) = 0;
  // Takes the answer away, whether it was presented wholly, partly or not at all, also while stopping.
  virtual Result<> clean_up(const Authorization& authorization, const std::string& key_authorization) = 0;
};

// Waits for `time`; false when it was stopped.
bool sleep_for(std::chrono::nanoseconds time, std::stop_token stop);

}  // namespace fairlead::acme
