#pragma once

#include "engine/model/client_tls.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::providers {

// How an HTTP server is reached.
struct Reach {
  std::string base;              // "http://docker:2375", no slash at the end
  std::string unix_socket;       // connect here instead, when set
  std::vector<std::string> ssh;  // or speak through this command, when set
  model::ClientTls tls;
  std::string username, password;  // sent when both are set
};

struct Call {
  std::string path;
  std::vector<std::string> headers;      // "Name: value"
  bool head = false;                     // HEAD in place of GET
  std::chrono::milliseconds timeout{0};  // of the whole call; 0: none
  std::chrono::seconds stalled{60};      // without a byte; not with on_data, whose bytes come when they may
  std::chrono::milliseconds await_head{0};  // until the answer's head is complete; 0: no limit of its own
  std::size_t max_body = 1 << 30;           // bytes of a gathered body
  long redirections = 0;                    // followed, of http and https
  // When set, the body goes here as it comes instead of being gathered; false ends the call. Only bodies of
  // status 200 do: others are gathered, since they hold the server's message.
  std::function<bool(std::string_view)> on_data;
  std::function<void()> on_head;  // the head of a 200 arrived
};

struct Answer {
  long status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// One HTTP connection, kept alive between calls, used by one thread at a time. Proxies named by the
// environment never apply.
class Transfer {
 public:
  explicit Transfer(Reach reach);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // The error is curl's words, or "stopped".
  std::expected<Answer, std::string> get(const Call& call);

  // Any thread: ends the call under way and all later ones within milliseconds.
  void stop();
  bool stopped() const { return stopped_; }

 private:
  struct Handles;

  Reach reach_;
  std::unique_ptr<Handles> handles_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace fairlead::providers
