#pragma once

#include "engine/base/strings.h"

// Debian compiles the larger half of cpp-httplib into a library, with these definitions: its classes change
// their size with them, so whoever includes the header must set the same.
#define CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_BROTLI_SUPPORT
#include <httplib.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::acme::dns::test {

struct ApiRequest {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in lower case

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct ApiReply {
  int status = 200;
  std::string body;
  httplib::Headers headers{};
};

// An HTTP server on 127.0.0.1 that answers as a test tells it, one call after the other.
class TestApi {
 public:
  using Handler = std::function<ApiReply(const ApiRequest&)>;

  explicit TestApi(Handler handler) : handler_(std::move(handler)) {
    const auto answer = [this](const httplib::Request& given, httplib::Response& reply) {
      serve(given, reply);
    };
    server_.Get(".*", answer);
    server_.Post(".*", answer);
    server_.Put(".*", answer);
    server_.Patch(".*", answer);
    server_.Delete(".*", answer);
    server_.set_keep_alive_max_count(1);
    port_ = server_.bind_to_any_port("127.0.0.1");
    if (port_ <= 0) std::abort();
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running())
      std::this_thread::yield();  // stop() is lost on a server that is about to run
  }
  ~TestApi() {
    server_.stop();
    thread_.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<ApiRequest> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void serve(const httplib::Request& given, httplib::Response& answer) {
    ApiRequest request{.method = given.method, .target = given.target, .body = given.body, .headers = {}};
    for (const auto& [name, value] : given.headers) request.headers[lower(name)] = value;
    const std::lock_guard one_by_one(handling_);
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request);
    }
    ApiReply reply = handler_(request);
    answer.status = reply.status;
    answer.headers = std::move(reply.headers);
    answer.body = std::move(reply.body);
  }

  const Handler handler_;
  httplib::Server server_;
  int port_ = 0;
  std::mutex handling_;
  mutable std::mutex mutex_;
  std::vector<ApiRequest> seen_;
  std::thread thread_;
};

}  // namespace fairlead::acme::dns::test
