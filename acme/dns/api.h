#pragma once

#include "acme/dns/provider.h"
#include "acme/http_client.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::acme::dns {

struct ApiAnswer {
  long status = 0;
  std::string body;
  nlohmann::json json;  // null when the body is none

  // The text or number at `key` of the answer's object; empty when it has none.
  std::string text(const char* key) const;
};

// A provider's HTTP API. One call is one connection: they are rare.
class Api {
 public:
  // Fields that identify us, for one call.
  using Authorize = std::function<std::vector<std::string>(const std::string& method, const std::string& url,
                                                           const std::string& body)>;

  struct Options {
    std::string base;                             // without the slash at its end
    Authorize authorize;                          // none: no such fields
    std::string credentials;                      // the variable that holds them, for the person to look at
    Duration timeout = std::chrono::seconds(30);  // of one attempt
    std::string content_type = "application/json";
    std::function<std::string(const ApiAnswer&)>
        words{};                                         // of an error, where the API does not say it in JSON
    std::function<bool(const ApiAnswer&)> says_later{};  // nothing was done: beside 429 and 503
    std::function<bool(const ApiAnswer&)> says_done{};   // what was asked for is so already
  };

  explicit Api(Options options) : options_(std::move(options)) {}
  const std::string& base() const { return options_.base; }

  // An answer of 2xx, of a status in `fine`, or one that says_done. "Try later" (429, 502 to 504, or
  // says_later) is obeyed a few times. Errors
  // give the method, the path without its query, the status and the server's own words.
  Result<ApiAnswer> call(const std::string& method, const std::string& path, const std::string& body,
                         std::stop_token stop, std::initializer_list<long> fine = {}) const;
  Result<ApiAnswer> get(const std::string& path, std::stop_token stop,
                        std::initializer_list<long> fine = {}) const {
    return call("GET", path, {}, stop, fine);
  }
  Result<ApiAnswer> send(const std::string& method, const std::string& path, const nlohmann::json& body,
                         std::stop_token stop, std::initializer_list<long> fine = {}) const {
    return call(method, path, body.dump(), stop, fine);
  }

 private:
  const Options options_;
};

// "Authorization: Bearer …" on every call.
Api::Authorize fixed_fields(std::vector<std::string> fields);
// As a part of a URL (RFC 3986 §2.3: everything but unreserved characters is encoded).
std::string url_encoded(std::string_view text);
// The text or number at `key` of an object; empty when it is neither, or there is none.
std::string text_at(const nlohmann::json& object, const char* key);

// A provider whose records live in zones that are found by their name.
class ZoneProvider : public Provider {
 public:
  struct Place {
    std::string zone;      // "example.com"
    std::string relative;  // "_acme-challenge.www"; empty for the zone itself
  };

  explicit ZoneProvider(ZoneFinder find) : find_(std::move(find)) {}
  // Errors name the zone.
  Result<> present(const Record& record, std::stop_token stop) final { return run(record, stop, true); }
  Result<> clean_up(const Record& record, std::stop_token stop) final { return run(record, stop, false); }

 protected:
  virtual Result<> add(const Place& place, const Record& record, std::stop_token stop) = 0;
  virtual Result<> remove(const Place& place, const Record& record, std::stop_token stop) = 0;

 private:
  Result<> run(const Record& record, std::stop_token stop, bool adds);

  const ZoneFinder find_;
};

// Identifiers that a provider gave to the records we made.
class Remembered {
 public:
  void put(const Record& record, std::string id);
  std::optional<std::string> take(const Record& record);

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::string> ids_;
};

}  // namespace fairlead::acme::dns
