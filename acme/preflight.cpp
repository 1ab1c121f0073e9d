#include "acme/preflight.h"

#include "acme/csr.h"
#include "acme/dns/resolver.h"
#include "acme/encoding.h"
#include "acme/http_client.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <csignal>

namespace fairlead::acme {
namespace {

// A thousand sites that appear at once are not looked at one by one: their orders tell as well.
constexpr std::size_t kMaxWaiting = 32;
constexpr auto kPatience = std::chrono::seconds(5);

// An answer of ours for as long as it lives.
class Token {
 public:
  explicit Token(tls::Challenges& table) : table_(table), name_(base64url(random_bytes(18))) {
    table_.answer_http(name_, name_);
  }
  ~Token() { table_.forget_http(name_); }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  const std::string& name() const { return name_; }

 private:
  tls::Challenges& table_;
  const std::string name_;
};

}  // namespace

void Preflight::ask(Question question) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || waiting_.size() >= kMaxWaiting) return;
  waiting_.push_back(std::move(question));
  if (!thread_.joinable()) thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
  wake_.notify_all();
}

std::string Preflight::finding(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = findings_.find(name);
  return found == findings_.end() ? std::string() : found->second;
}

void Preflight::forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  findings_.erase(name);
}

void Preflight::stop() {
  std::jthread thread;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    thread = std::move(thread_);
  }
  thread.request_stop();
  if (thread.joinable()) thread.join();
}

void Preflight::run(std::stop_token stop) {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), "acme-preflight");
  for (;;) {
    Question question;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      question = std::move(waiting_.front());
      waiting_.pop_front();
    }
    std::string found = look(question, stop);
    if (stop.stop_requested()) return;
    if (!found.empty()) spdlog::warn("looked at {} before its first order: {}", question.name, found);
    const std::lock_guard lock(mutex_);
    if (found.empty())
      findings_.erase(question.name);
    else
      findings_[question.name] = std::move(found);
  }
}

std::string Preflight::look(const Question& question, std::stop_token stop) const {
  if (is_address(question.name) || question.name.starts_with("*.")) return {};
  const std::string& host = question.name;
  const dns::Resolver resolver(question.resolvers, stop);
  if (resolver.addresses(host).empty())
    return fmt::format("{} has no address in the DNS, as seen from here", host);
  if (!question.by_http) return {};
  const Token token(challenges_);
  HttpOptions options;
  options.timeout = options.head_timeout = kPatience;
  HttpClient client(std::move(options));
  const auto answer = client.call(
      {.method = "GET", .url = fmt::format("http://{}/.well-known/acme-challenge/{}", host, token.name())},
      stop);
  if (!answer)
    return fmt::format("an HTTP-01 answer of ours cannot be reached, as seen from here: {}",
                       answer.error().detail);
  if (answer->status != 200 || answer->body != token.name())
    return fmt::format("another server answers for {} on port 80, as seen from here (status {})", host,
                       answer->status);
  return {};
}

}  // namespace fairlead::acme
