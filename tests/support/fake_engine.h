// An in-process Docker Engine on a unix socket: list, inspect, events, and the ways in which real ones fail.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fairlead::test {

// One container of the fake: what its list and inspect answers are made of.
struct FakeContainer {
  std::string id, name;
  std::string state = "running";
  std::string ip = "127.0.0.1";
  std::map<std::string, std::string> labels{};
  std::string health{};  // empty: none
  int port = 80;
  std::string started = "2026-05-09T07:29:34.000000001Z";
  std::string created = "2026-05-09T07:29:33.000000001Z";

  std::string labels_json() const {
    std::string out;
    for (const auto& [key, value] : labels)
      out += (out.empty() ? "\"" : ",\"") + key + "\":\"" + value + "\"";
    return "{" + out + "}";
  }
  std::string listed() const {
    const std::string status = health.empty() ? "Up 4 seconds" : "Up 4 seconds (" + health + ")";
    return R"({"Id":")" + id + R"(","Names":["/)" + name + R"("],"State":")" + state + R"(","Status":")" +
           (state == "running" ? status : "Exited (0) 4 seconds ago") + R"(","Labels":)" + labels_json() +
           R"(,"HostConfig":{"NetworkMode":"bridge"},"NetworkSettings":{"Networks":{"bridge":{"IPAddress":")" +
           ip + R"("}}}})";
  }
  std::string inspected() const {
    const std::string checked = health.empty() ? "" : R"(,"Health":{"Status":")" + health + R"("})";
    return R"({"Id":")" + id + R"(","Created":")" + created + R"(","Name":"/)" + name +
           R"(","State":{"Status":")" + state + R"(","StartedAt":")" + started + "\"" + checked +
           R"(},"Config":{"Labels":)" + labels_json() + R"(,"ExposedPorts":{")" + std::to_string(port) +
           R"(/tcp":{}}},"HostConfig":{"NetworkMode":"bridge"},"NetworkSettings":{"Ports":{},"Networks":{"bridge":{"IPAddress":")" +
           ip + R"("}}}})";
  }
};

class FakeEngine {
 public:
  FakeEngine() {
    char pattern[] = "/tmp/fake-engine-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    path_ = folder_ + "/docker.sock";
    listen();
  }
  ~FakeEngine() {
    shut_down();
    std::filesystem::remove_all(folder_);
  }
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  std::string endpoint() const { return "unix://" + path_; }

  void put(FakeContainer container) {
    const std::lock_guard lock(mutex_);
    containers_[container.id] = std::move(container);
  }
  void erase(const std::string& id) {
    const std::lock_guard lock(mutex_);
    containers_.erase(id);
  }

  // Sends a container event to every subscriber. `attributes` is the inside of the JSON object.
  void event(const std::string& action, const std::string& id, const std::string& attributes = "") {
    say(R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + id + R"(","Attributes":{)" +
        attributes + "}},\"timeNano\":1}\n");
  }
  // Sends bytes as they are, as one chunk.
  void say(const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    for (const int fd : subscribers_) send_all(fd, size + bytes + "\r\n");
  }
  // Ends all event streams without a last chunk, as a killed engine does.
  void cut_streams() {
    const std::lock_guard lock(mutex_);
    for (const int fd : subscribers_) ::shutdown(fd, SHUT_RDWR);
  }
  // The socket is gone until listen() is called again.
  void shut_down() {
    if (!running_.exchange(false)) return;
    ::shutdown(listener_, SHUT_RDWR);
    cut_streams();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : connections_) ::shutdown(fd, SHUT_RDWR);
    }
    accept_.join();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    ::close(listener_);
    ::unlink(path_.c_str());
  }
  void listen() {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 16) != 0)
      std::abort();
    running_ = true;
    accept_ = std::thread([this] { accept_all(); });
  }

  // Answers a path in place of the fake: {status, body}; status 0 leaves it to the fake.
  using Override = std::function<std::pair<int, std::string>(std::string_view path)>;
  void set_override(Override override_with) {
    const std::lock_guard lock(mutex_);
    override_ = std::move(override_with);
  }
  void set_api_version(std::string version) {  // empty: no header
    const std::lock_guard lock(mutex_);
    api_version_ = std::move(version);
  }

  // Requests so far whose path contains `part`.
  std::size_t count(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    std::size_t out = 0;
    for (const std::string& path : paths_) out += path.find(part) != std::string::npos;
    return out;
  }
  std::vector<std::string> paths() const {
    const std::lock_guard lock(mutex_);
    return paths_;
  }
  std::size_t subscribers() const {
    const std::lock_guard lock(mutex_);
    return subscribers_.size();
  }

 private:
  static void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void accept_all() {
    while (running_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      connections_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string input;
    while (running_) {
      std::size_t end;
      while ((end = input.find("\r\n\r\n")) == std::string::npos) {
        char bytes[4096];
        const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
        if (got <= 0) return close(fd);
        input.append(bytes, static_cast<std::size_t>(got));
      }
      const std::size_t space = input.find(' ');
      const std::string path = input.substr(space + 1, input.find(' ', space + 1) - space - 1);
      input.erase(0, end + 4);
      answer(fd, path);
    }
    close(fd);
  }

  void close(int fd) {
    const std::lock_guard lock(mutex_);
    std::erase(subscribers_, fd);
    std::erase(connections_, fd);
    ::close(fd);
  }

  void answer(int fd, const std::string& path) {
    std::unique_lock lock(mutex_);
    paths_.push_back(path);
    const Override override_with = override_;
    lock.unlock();
    if (override_with)
      if (const auto [status, body] = override_with(path); status != 0) return reply(fd, status, body);
    lock.lock();
    std::string_view rest = path;
    if (rest.starts_with("/v1.")) rest.remove_prefix(rest.find('/', 1));
    if (rest == "/_ping") {
      const std::string version = api_version_.empty() ? "" : "Api-Version: " + api_version_ + "\r\n";
      return send_all(fd, "HTTP/1.1 200 OK\r\n" + version + "Content-Length: 2\r\n\r\nOK");
    }
    if (rest.starts_with("/events")) {
      send_all(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      subscribers_.push_back(fd);
      return;
    }
    if (rest.starts_with("/containers/json")) {
      std::string body;
      for (const auto& [id, container] : containers_) body += (body.empty() ? "" : ",") + container.listed();
      lock.unlock();
      return reply(fd, 200, "[" + body + "]");
    }
    const std::size_t from = std::string_view("/containers/").size();
    const std::string id(rest.starts_with("/containers/") ? rest.substr(from, rest.find('/', from) - from)
                                                          : "");
    const auto found = containers_.find(id);
    const std::string body =
        found == containers_.end() ? R"({"message":"No such container"})" : found->second.inspected();
    const int status = found == containers_.end() ? 404 : 200;
    lock.unlock();
    reply(fd, status, body);
  }

  static void reply(int fd, int status, const std::string& body) {
    send_all(fd, "HTTP/1.1 " + std::to_string(status) +
                     " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  std::string folder_, path_;
  int listener_ = -1;
  std::atomic<bool> running_ = false;
  std::thread accept_;
  mutable std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<int> connections_, subscribers_;
  std::map<std::string, FakeContainer> containers_;
  std::vector<std::string> paths_;
  std::string api_version_ = "1.41";
  Override override_;
};

}  // namespace fairlead::test
