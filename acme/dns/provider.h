#pragma once

#include "acme/solver.h"
#include "engine/base/clock.h"
#include "engine/base/result.h"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace fairlead::acme::dns {

// A TXT record that proves a name (RFC 8555 §8.4).
struct Record {
  std::string domain;  // what is proven: "example.com", also for *.example.com
  std::string name;    // where the record stands, aliases followed: "_acme-challenge.example.com"
  std::string value;   // base64url of the SHA-256 of the key authorization
  std::string token;   // these two for hooks that make the record themselves
  std::string key_authorization;
};

// How long a record may take until it can be seen, and how often that is looked at.
struct Timing {
  Duration timeout = std::chrono::seconds(60);
  Duration interval = std::chrono::seconds(2);
};

// The zone a name is in, without the dot at the end.
using ZoneFinder = std::function<Result<std::string>(const std::string& name, std::stop_token stop)>;

// One way to write TXT records. Used by several threads at once; calls block. Records under one name are kept
// apart by their values: a certificate for a domain and its wildcard needs two at the same time.
class Provider {
 public:
  virtual ~Provider() = default;
  // Adds the record beside what is there.
  virtual Result<> present(const Record& record, std::stop_token stop) = 0;
  // Removes that record alone, also when it is half there or not at all.
  virtual Result<> clean_up(const Record& record, std::stop_token stop) = 0;
};

struct MadeProvider {
  std::unique_ptr<Provider> provider;
  Timing timing;
};

}  // namespace fairlead::acme::dns
