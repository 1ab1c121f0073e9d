#include "providers/docker/prober.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string_view>

namespace fairlead::providers::docker {
namespace {

constexpr Duration kInterval = std::chrono::milliseconds(100);
constexpr std::size_t kAtOnce = 256;  // sockets; a storm of starting containers takes several rounds

constexpr std::string_view kRequest = "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

// One attempt: connecting, then, when HTTP is asked for, waiting for the first bytes of an answer.
struct Attempt {
  int fd = -1;
  bool ask_http = false;
  bool connected = false;
  std::string answer;
  ProbeResult* result = nullptr;

  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// Addresses only: names (host.docker.internal of other machines) are not looked up here.
bool begin(Attempt& attempt, const Address& address) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, address.ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, address.ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    size = sizeof *v6;
  } else {
    attempt.result->accepts = true;  // cannot be tried from here: no reason to hold it back
    return false;
  }
  attempt.fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (attempt.fd < 0) return false;
  if (::connect(attempt.fd, reinterpret_cast<sockaddr*>(&storage), size) == 0 || errno == EINPROGRESS)
    return true;
  attempt.close();
  return false;
}

// "HTTP/1.1 200 …". A TLS port answers plain HTTP with 400 and is not meant.
bool is_http(std::string_view answer) {
  return answer.size() >= 12 && answer.starts_with("HTTP/1.") && answer.substr(9, 3) != "400";
}

// Goes on with an attempt whose socket is ready; closes it when it is over.
void step(Attempt& attempt) {
  if (!attempt.connected) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(attempt.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
      return attempt.close();
    attempt.connected = attempt.result->accepts = true;
    if (!attempt.ask_http) return attempt.close();
    if (::send(attempt.fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(kRequest.size()))
      attempt.close();
    return;
  }
  char bytes[64];
  const ssize_t got = ::recv(attempt.fd, bytes, sizeof bytes, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0) attempt.answer.append(bytes, static_cast<std::size_t>(got));
  if (got > 0 && attempt.answer.size() < 12) return;
  attempt.result->speaks_http = is_http(attempt.answer);
  attempt.close();
}

void run_all(std::span<Attempt> attempts, Duration patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<pollfd> polled;
  std::vector<Attempt*> open;
  while (true) {
    polled.clear();
    open.clear();
    for (Attempt& attempt : attempts) {
      if (attempt.fd < 0) continue;
      polled.push_back({attempt.fd, static_cast<short>(attempt.connected ? POLLIN : POLLOUT), 0});
      open.push_back(&attempt);
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (open.empty() || left.count() <= 0) break;
    if (::poll(polled.data(), polled.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < polled.size(); ++i)
      if (polled[i].revents != 0) step(*open[i]);
  }
  for (Attempt& attempt : attempts) attempt.close();
}

}  // namespace

std::vector<std::vector<ProbeResult>> probe(const std::vector<ProbeJob>& jobs, Duration patience) {
  std::vector<std::vector<ProbeResult>> results;
  std::vector<Attempt> attempts;
  for (const ProbeJob& job : jobs) {
    auto& row = results.emplace_back();
    for (const ProbeTarget& target : job.targets) row.push_back({target.port, false, false});
  }
  const auto finish = [&] {
    run_all(attempts, patience);
    attempts.clear();
  };
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    for (std::size_t t = 0; t < jobs[j].targets.size(); ++t) {
      Attempt attempt{.ask_http = jobs[j].ask_http, .answer = {}, .result = &results[j][t]};
      if (begin(attempt, jobs[j].targets[t].address)) attempts.push_back(std::move(attempt));
      if (attempts.size() == kAtOnce) finish();
    }
  }
  finish();
  return results;
}

void Prober::start() {
  thread_ = std::thread([this] { run(); });
}

void Prober::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Prober::set_jobs(std::vector<ProbeJob> jobs) {
  {
    const std::lock_guard lock(mutex_);
    jobs_ = std::move(jobs);
  }
  wake_.notify_all();
}

void Prober::run() {
  while (true) {
    std::vector<ProbeJob> jobs;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      jobs = jobs_;
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto results = probe(jobs, kInterval);
    for (std::size_t i = 0; i < jobs.size(); ++i) found_(jobs[i], results[i]);
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, begun + kInterval, [this] { return stopping_; });
    if (stopping_) return;
  }
}

}  // namespace fairlead::providers::docker
