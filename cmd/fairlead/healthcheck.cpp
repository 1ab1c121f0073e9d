#include "cmd/fairlead/healthcheck.h"

#include "cmd/fairlead/print.h"
#include "engine/base/strings.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>

namespace fairlead::cmd {
namespace {

constexpr long kSeconds = 5;

std::string url_of(const std::string& host, std::uint16_t port, std::string_view path) {
  const bool v6 = host.contains(':');
  return fmt::format("http://{}{}{}:{}{}", v6 ? "[" : "", host, v6 ? "]" : "", port, path);
}

bool is_this_program(int pid) {
  std::error_code unreadable;  // as on a host, whose first process is of another user
  const auto program = std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), unreadable);
  return !unreadable && program == std::filesystem::read_symlink("/proc/self/exe", unreadable);
}

// 0: there is none that can be seen from here.
int parent_of(int pid) {
  std::ifstream in(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("PPid:")) return std::atoi(line.c_str() + 5);
  return 0;
}

// The oldest child of the first process that is this program. 0 on a host, where that one would be a service:
// an engine puts a health check into its container from outside, so it does not descend from the first.
int child_of_init() {
  for (int pid = ::getpid(); pid != 0; pid = parent_of(pid))
    if (pid == 1) return 0;
  int found = 0;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", unreadable)) {
    const int pid = static_cast<int>(parse_digits(entry.path().filename().string()).value_or(0));
    const bool older = found == 0 || pid < found;
    if (pid != 0 && older && parent_of(pid) == 1 && is_this_program(pid)) found = pid;
  }
  return found;
}

}  // namespace

std::optional<std::vector<std::string>> arguments_of_container() {
  const int pid = is_this_program(1) ? 1 : child_of_init();
  if (pid == 0) return std::nullopt;
  std::ifstream in(fmt::format("/proc/{}/cmdline", pid), std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\0');) words.push_back(word);
  if (words.empty()) return std::nullopt;
  words.erase(words.begin());
  return words;
}

int ask_status(const std::string& host, std::uint16_t port, const std::string& path, bool head,
               std::string& problem) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> call(curl_easy_init(), &curl_easy_cleanup);
  if (!call) return 0;
  const std::string url = url_of(host, port, path);
  const auto forget = +[](char*, std::size_t size, std::size_t count, void*) { return size * count; };
  curl_easy_setopt(call.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(call.get(), CURLOPT_NOBODY, head ? 1L : 0L);
  curl_easy_setopt(call.get(), CURLOPT_WRITEFUNCTION, forget);
  curl_easy_setopt(call.get(), CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(call.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(call.get(), CURLOPT_PROXY, "");  // HTTP_PROXY is not for our own address
  if (const CURLcode failed = curl_easy_perform(call.get()); failed != CURLE_OK) {
    problem = curl_easy_strerror(failed);
    return 0;
  }
  long status = 0;
  curl_easy_getinfo(call.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

int healthcheck(const model::Static& install) {
  if (!install.ping) {
    fmt::print(stderr, "Please enable `ping` to use health check.\n");
    return 1;
  }
  const auto found = install.entry_points.find(install.ping->entry_point);
  const auto address =
      found == install.entry_points.end() ? std::nullopt : model::parse_listen_address(found->second.address);
  if (!address) {
    fmt::print(stderr, "ping: missing entry point \"{}\".\n", install.ping->entry_point);
    return 1;
  }
  const bool everywhere = address->host.empty() || address->host == "0.0.0.0" || address->host == "::";
  const std::string host = everywhere ? "127.0.0.1" : address->host;
  const std::string url = url_of(host, address->port, "/ping");
  std::string problem;
  const int status = ask_status(host, address->port, "/ping", true, problem);
  if (status == 200) {
    print(fmt::format("OK: {}\n", url));
    return 0;
  }
  fmt::print(stderr, "{}\n",
             status == 0 ? fmt::format("Error calling healthcheck: {}: {}", url, problem)
                         : fmt::format("Bad healthcheck status: {} from {}", status, url));
  return 1;
}

}  // namespace fairlead::cmd
