#pragma once

#include "engine/base/strings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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
  std::string headers{};  // whole lines
};

// An HTTP server on 127.0.0.1 that answers as a test tells it, one call after the other.
class TestApi {
 public:
  using Handler = std::function<ApiReply(const ApiRequest&)>;

  explicit TestApi(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0)
      std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int client; (client = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(client)) answer(client);
    });
  }
  ~TestApi() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<ApiRequest> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void answer(int client) {
    std::string bytes;
    char chunk[8192];
    std::size_t head = std::string::npos, length = 0;
    while (head == std::string::npos || bytes.size() < head + 4 + length) {
      const ssize_t got = ::recv(client, chunk, sizeof chunk, 0);
      if (got <= 0) return;
      bytes.append(chunk, static_cast<std::size_t>(got));
      if (head == std::string::npos && (head = bytes.find("\r\n\r\n")) != std::string::npos) {
        const std::string text = lower(bytes.substr(0, head));
        const std::size_t at = text.find("content-length:");
        if (at != std::string::npos) length = std::stoul(text.substr(at + 15));
      }
    }
    ApiRequest request;
    request.body = bytes.substr(head + 4);
    bool first = true;
    for (std::string_view line : split(std::string_view(bytes).substr(0, head), '\n')) {
      line = trim(line.substr(0, line.find('\r')));
      if (first) {
        const auto words = split(line, ' ');
        request.method = words.at(0);
        request.target = words.at(1);
        first = false;
      } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
        request.headers[lower(line.substr(0, colon))] = trim(line.substr(colon + 1));
      }
    }
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request);
    }
    const ApiReply reply = handler_(request);
    const std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " X\r\nConnection: close\r\n" +
                             reply.headers + "Content-Length: " + std::to_string(reply.body.size()) +
                             "\r\n\r\n" + reply.body;
    ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
  }

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<ApiRequest> seen_;
  std::thread thread_;
};

}  // namespace fairlead::acme::dns::test
