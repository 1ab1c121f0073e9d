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
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

namespace fairlead::providers::docker {
namespace {

constexpr Duration kInterval = std::chrono::milliseconds(100);
constexpr std::size_t kAtOnce = 256;       // sockets; a storm of starting containers takes several rounds
constexpr std::size_t kMostAwaited = 256;  // connections whose answers are awaited over several rounds

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

using ProbedAt = std::tuple<std::string, std::string, std::string>;  // host, id, address

// Requests that were sent and whose answers have not come, from one round to the next.
class Awaited {
 public:
  Awaited() = default;
  ~Awaited() { clear(); }
  Awaited(const Awaited&) = delete;
  Awaited& operator=(const Awaited&) = delete;

  bool take(const ProbedAt& target, Attempt& attempt) {
    const auto found = kept_.find(target);
    if (found == kept_.end()) return false;
    ProbeResult* const result = attempt.result;
    attempt = std::exchange(found->second, {});
    attempt.result = result;
    result->accepts = true;
    kept_.erase(found);
    return true;
  }
  bool keep(const ProbedAt& target, const Attempt& attempt) {
    return kept_.size() < kMostAwaited && kept_.try_emplace(target, attempt).second;
  }
  void clear() {
    for (auto& [target, attempt] : kept_) attempt.close();
    kept_.clear();
  }
  void swap(Awaited& other) { kept_.swap(other.kept_); }

 private:
  std::map<ProbedAt, Attempt> kept_;
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
void read_answer(std::string_view answer, ProbeResult& result) {
  if (answer.size() < 12 || !answer.starts_with("HTTP/1.")) return;
  result.says_400 = answer.substr(9, 3) == "400";
  result.speaks_http = !result.says_400;
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
  read_answer(attempt.answer, *attempt.result);
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
}

// One round. `awaited`: of the round before, and then of this one.
std::vector<std::vector<ProbeResult>> try_all(const std::vector<ProbeJob>& jobs, Duration patience,
                                              Awaited& awaited) {
  Awaited next;
  std::vector<std::vector<ProbeResult>> results;
  std::vector<Attempt> attempts;
  std::vector<ProbedAt> targets;  // of the attempts
  for (const ProbeJob& job : jobs) {
    auto& row = results.emplace_back();
    for (const ProbeTarget& target : job.targets) row.push_back({.port = target.port});
  }
  const auto finish = [&] {
    run_all(attempts, patience);
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      Attempt& attempt = attempts[i];
      attempt.result->awaited = attempt.fd >= 0 && attempt.connected;
      if (!attempt.result->awaited || !next.keep(targets[i], attempt)) attempt.close();
    }
    attempts.clear();
    targets.clear();
  };
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    for (std::size_t t = 0; t < jobs[j].targets.size(); ++t) {
      Attempt attempt{.ask_http = jobs[j].ask_http, .answer = {}, .result = &results[j][t]};
      const Address& address = jobs[j].targets[t].address;
      ProbedAt target(jobs[j].host, jobs[j].id, address.text());
      if ((attempt.ask_http && awaited.take(target, attempt)) || begin(attempt, address)) {
        attempts.push_back(std::move(attempt));
        targets.push_back(std::move(target));
      }
      if (attempts.size() == kAtOnce) finish();
    }
  }
  finish();
  awaited.swap(next);
  return results;
}

}  // namespace

std::vector<std::vector<ProbeResult>> probe(const std::vector<ProbeJob>& jobs, Duration patience) {
  Awaited awaited;
  return try_all(jobs, patience, awaited);
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
  Awaited awaited;
  while (true) {
    std::vector<ProbeJob> jobs;
    {
      std::unique_lock lock(mutex_);
      if (jobs_.empty()) awaited.clear();
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      jobs = jobs_;
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto results = try_all(jobs, kInterval, awaited);
    for (std::size_t i = 0; i < jobs.size(); ++i) found_(jobs[i], results[i]);
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, begun + kInterval, [this] { return stopping_; });
    if (stopping_) return;
  }
}

}  // namespace fairlead::providers::docker
