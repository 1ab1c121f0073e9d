#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead {
class CurlConnection;
}

namespace fairlead::acme {

// How servers are reached and believed.
struct HttpOptions {
  std::string authorities;          // PEM text trusted instead of the system's authorities; empty: those
  bool system_authorities = false;  // trust the system's as well as `authorities`
  std::string server_name;          // name in the server's certificate, where the URL says another
  std::string address;              // connect to this address instead of what the name resolves to
  bool outside = false;  // by way of the proxy in HTTPS_PROXY, http_proxy, NO_PROXY; never to this machine
  Duration timeout = std::chrono::minutes(2);        // of a whole call; 0: no limit
  Duration head_timeout = std::chrono::seconds(30);  // until the head of the answer; 0: no limit of its own
  std::size_t max_body = 1 << 20;                    // bytes of an answer; more is an error
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers = {};  // "Name: value"
  std::string body = {};                  // sent with any method but GET and HEAD
};

struct HttpResponse {
  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in order
  std::string body;
  std::string redirect;  // where a redirection points, as a whole URL; else empty

  // The first of that name (lower case), else empty.
  std::string_view header(std::string_view name) const;
};

// One connection, kept alive between calls to the same server; used by one thread at a time. Redirections are
// not followed.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status is an answer. Errors: {502, Fault::Upstream} with the library's words, {504, …} when it took
  // too long, {503, Fault::Proxy, "stopped"} within milliseconds of a stop.
  Result<HttpResponse> call(const HttpRequest& request, std::stop_token stop = {});

 private:
  const HttpOptions options_;
  std::unique_ptr<CurlConnection> connection_;
};

}  // namespace fairlead::acme
