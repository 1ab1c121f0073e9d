#include "providers/transfer.h"

#include "engine/base/curl_connection.h"
#include "engine/base/strings.h"
#include "providers/stdio_gate.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fairlead::providers {
namespace {

constexpr long kConnectTimeout = 10'000;         // ms
constexpr auto kLook = std::chrono::seconds(1);  // at the clock; stop() wakes earlier

// How a container gets to the socket: that it is mounted, and for whom it is.
std::string way_in(const std::string& socket, int why) {
  if (why == ENOENT && ::access("/.dockerenv", F_OK) == 0)
    return fmt::format("; in Compose, volumes: [\"{0}:{0}:ro\"] brings it into this container", socket);
  struct stat is{};
  if (::stat(socket.c_str(), &is) != 0) return {};
  if (S_ISDIR(is.st_mode))
    return "; it is a directory: an engine makes one where the socket to mount is missing on its host";
  if (why != EACCES) return {};
  if ((is.st_mode & S_IWGRP) == 0)
    return fmt::format("; it is for user {0} only: in Compose, user: \"{0}\" lets this process in",
                       is.st_uid);
  return fmt::format("; it is for group {0}: in Compose, group_add: [\"{0}\"] lets this process in",
                     is.st_gid);
}

// "Operation timed out after 1003 milliseconds with 0 out of 100 bytes received" is another sentence each
// time, and whoever says what is new would say it for ever.
std::string without_count(const std::string& problem) {
  constexpr std::string_view kAfter = " timed out after ";
  const std::size_t at = problem.find(kAfter);
  return at == std::string::npos ? problem : problem.substr(0, at) + " timed out";
}

// One call under way, as curl's callbacks see it.
struct Progress {
  const Call& call;
  Answer answer;
  CURL* easy;
  bool too_large = false;
  bool has_head = false;
};

std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  if (progress.answer.status == 200 && progress.call.on_data)
    return progress.call.on_data({bytes, count}) ? count : 0;
  if (progress.answer.body.size() + count > progress.call.max_body) {
    progress.too_large = true;
    return 0;
  }
  progress.answer.body.append(bytes, count);
  return count;
}

std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  const std::string_view line =
      trim(std::string_view(bytes, count).substr(0, std::string_view(bytes, count).find_first_of("\r\n")));
  if (line.starts_with("HTTP/")) {
    progress.answer.headers.clear();
    curl_easy_getinfo(progress.easy, CURLINFO_RESPONSE_CODE, &progress.answer.status);
    if (const auto space = line.find(' '); space != std::string_view::npos)
      progress.answer.status = static_cast<long>(parse_digits(line.substr(space + 1, 3)).value_or(0));
  } else if (line.empty()) {
    progress.has_head = true;
    if (progress.answer.status == 200 && progress.call.on_head) progress.call.on_head();
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    progress.answer.headers[lower(line.substr(0, colon))] = trim(line.substr(colon + 1));
  }
  return count;
}

curl_socket_t open_gate(void* user, curlsocktype, curl_sockaddr* address) {
  if (!static_cast<const StdioGate*>(user)->spawn()) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace

struct Transfer::Handles : CurlConnection {
  std::unique_ptr<StdioGate> gate;
};

Transfer::Transfer(Reach reach) : reach_(std::move(reach)), handles_(std::make_unique<Handles>()) {
  CURL* const easy = handles_->easy();
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // stop() waits for no name server
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "Fairlead");
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeout);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  const model::ClientTls& tls = reach_.tls;
  handles_->use_tls(tls.ca, tls.cert, tls.key, !tls.insecure_skip_verify);
  if (!reach_.unix_socket.empty())
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, reach_.unix_socket.c_str());
  if (!reach_.ssh.empty()) {
    handles_->gate = std::make_unique<StdioGate>(reach_.ssh);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, handles_->gate->path().c_str());
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_gate);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, handles_->gate.get());
  }
  if (!reach_.username.empty() && !reach_.password.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, reach_.username.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, reach_.password.c_str());
  }
}

Transfer::~Transfer() = default;

void Transfer::stop() {
  stopped_ = true;
  handles_->wake();
}

std::expected<Answer, std::string> Transfer::get(const Call& call) {
  CURL* const easy = handles_->easy();
  Progress progress{call, {}, easy};
  const std::string url = reach_.base + call.path;
  curl_slist* list = nullptr;
  for (const std::string& header : call.headers) list = curl_slist_append(list, header.c_str());
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, call.redirections > 0 ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, call.redirections);
  curl_easy_setopt(easy, call.head ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, call.on_data ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, call.on_data ? 0L : static_cast<long>(call.stalled.count()));
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &progress);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &progress);

  const auto begun = std::chrono::steady_clock::now();
  const auto silent = [&] {
    return call.await_head.count() > 0 && !progress.has_head &&
           std::chrono::steady_clock::now() - begun >= call.await_head;
  };
  const CurlConnection::Outcome ended = handles_->run(kLook, [&] { return stopped_ || silent(); });
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  curl_slist_free_all(list);

  if (stopped_) return std::unexpected("stopped");
  if (ended.problem.empty() && silent())
    return std::unexpected(fmt::format("no answer within {} s", call.await_head.count() / 1000));
  if (progress.too_large)
    return std::unexpected(fmt::format("the answer is larger than {} bytes", call.max_body));
  if (ended.code == CURLE_COULDNT_CONNECT && !reach_.unix_socket.empty()) {
    // curl's own words speak of a port of a host that does not exist.
    long why = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &why);
    const auto number = static_cast<int>(why);
    return std::unexpected(fmt::format("connect {}: {}{}", reach_.unix_socket, std::strerror(number),
                                       way_in(reach_.unix_socket, number)));
  }
  if (!ended.problem.empty()) {
    // curl sees a connection that ends; the command knows why.
    if (const std::string said = handles_->gate ? handles_->gate->last_words() : ""; !said.empty())
      return std::unexpected(fmt::format("{} says {}", reach_.ssh.front(), quoted(said, 300)));
    return std::unexpected(ended.code == CURLE_OPERATION_TIMEDOUT ? without_count(ended.problem)
                                                                  : ended.problem);
  }
  return std::move(progress.answer);
}

}  // namespace fairlead::providers
