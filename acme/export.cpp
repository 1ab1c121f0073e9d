#include "acme/export.h"

#include "engine/base/fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

extern char** environ;

namespace fairlead::acme {
namespace {

constexpr auto kHookTime = std::chrono::seconds(60);
constexpr auto kLook = std::chrono::milliseconds(50);

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Configured<> replace(const std::string& path, std::string_view content) {
  const std::string beside = path + ".tmp";
  ::unlink(beside.c_str());
  const Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  const bool good =
      file && ::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fsync(file.get()) == 0 && ::rename(beside.c_str(), path.c_str()) == 0;
  if (good) return {};
  auto problem = misconfigured(path, fmt::format("cannot be written: {}", std::strerror(errno)));
  ::unlink(beside.c_str());
  return problem;
}

// Why a command has failed; empty: it has not. Ends it, and what it started, when its time is over.
std::string finish(pid_t child, std::stop_token stop) {
  const auto until = std::chrono::steady_clock::now() + kHookTime;
  int status = 0;
  for (;;) {
    const pid_t done = ::waitpid(child, &status, WNOHANG);
    if (done == child && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    if (done == child)
      return fmt::format("exit status {}", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    if (done < 0 && errno != EINTR) return std::strerror(errno);
    if (stop.stop_requested() || std::chrono::steady_clock::now() >= until) break;
    std::this_thread::sleep_for(kLook);
  }
  ::kill(-child, SIGKILL);
  ::waitpid(child, &status, 0);
  return stop.stop_requested() ? "ended before it was done, since Fairlead stops" : "ended after 60 s";
}

}  // namespace

std::string export_folder_name(const std::string& main) {
  return main.starts_with("*.") ? "_" + main.substr(1) : main;
}

Configured<bool> export_certificate(const std::string& folder, const StoredCertificate& certificate) {
  // The name stood in a file: it must not lead anywhere else.
  if (certificate.main.empty() || certificate.main.find('/') != std::string::npos ||
      certificate.main.front() == '.')
    return misconfigured(certificate.main, "is no name for a directory");
  const std::string target = fmt::format("{}/{}", folder, export_folder_name(certificate.main));
  const std::string chain = target + "/fullchain.pem";
  const std::string key = target + "/privkey.pem";
  const std::string chain_text = certificate.text->chain();
  if (content_of(chain) == chain_text && content_of(key) == certificate.text->key()) return false;
  std::error_code problem;
  std::filesystem::create_directories(target, problem);
  if (problem) return misconfigured(target, fmt::format("cannot be made: {}", problem.message()));
  // The key first: who watches the chain finds the pair complete.
  if (auto done = replace(key, certificate.text->key()); !done) return std::unexpected(done.error());
  if (auto done = replace(chain, chain_text); !done) return std::unexpected(done.error());
  return true;
}

void Exporter::export_all(const std::string& folder, const std::string& hook,
                          const std::vector<StoredCertificate>& certificates) {
  std::string problem;
  std::vector<Run> runs;
  for (const StoredCertificate& certificate : certificates) {
    const auto done = export_certificate(folder, certificate);
    if (!done)
      problem = fmt::format("{} {}", done.error().path, done.error().what);
    else if (*done && !hook.empty())
      runs.push_back(
          {hook, fmt::format("{}/{}", folder, export_folder_name(certificate.main)), certificate.main});
  }
  const std::lock_guard lock(mutex_);
  if (!problem.empty() && problem != problem_) spdlog::error("certificates.export: {}", problem);
  if (problem.empty() && !problem_.empty()) spdlog::info("certificates.export: {} is written again", folder);
  problem_ = problem;
  if (runs.empty()) return;
  waiting_.insert(waiting_.end(), runs.begin(), runs.end());
  if (!thread_.joinable()) thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
  wake_.notify_all();
}

bool Exporter::failed() const {
  const std::lock_guard lock(mutex_);
  return !problem_.empty();
}

void Exporter::stop() {
  std::jthread thread;
  {
    const std::lock_guard lock(mutex_);
    thread = std::move(thread_);
  }
  thread.request_stop();
  if (thread.joinable()) thread.join();
}

void Exporter::run(std::stop_token stop) {
  for (;;) {
    Run next;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const std::string mine[] = {"CERT_NAME=" + next.name, "CERT_PATH=" + next.folder + "/fullchain.pem",
                                "KEY_PATH=" + next.folder + "/privkey.pem"};
    std::vector<char*> environment;
    for (char** one = environ; *one; ++one) environment.push_back(*one);
    for (const std::string& one : mine) environment.push_back(const_cast<char*>(one.c_str()));
    environment.push_back(nullptr);
    const char* arguments[] = {"sh", "-c", next.hook.c_str(), nullptr};
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, "/bin/sh", nullptr, &attributes, const_cast<char**>(arguments),
                                     environment.data());
    posix_spawnattr_destroy(&attributes);
    const std::string problem = failed != 0 ? std::strerror(failed) : finish(child, stop);
    if (!problem.empty()) spdlog::error("certificates.exportHook for {}: {}", next.name, problem);
  }
}

}  // namespace fairlead::acme
