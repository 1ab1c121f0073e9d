#include "acme/http_client.h"

#include "engine/base/curl_connection.h"
#include "engine/base/strings.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace fairlead::acme {
namespace {

constexpr long kConnectTimeout = 10'000;                    // ms
constexpr auto kTimeLook = std::chrono::milliseconds(250);  // at the time to the head; a stop wakes earlier
constexpr std::size_t kMaxHead = 256 * 1024;                // bytes of all header lines

// One call under way, as curl's callbacks see it.
struct Progress {
  HttpResponse answer;
  std::size_t max_body;
  std::size_t head_bytes = 0;
  bool head_begun = false;
  bool too_large = false;
};

std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  if (progress.answer.body.size() + count > progress.max_body) {
    progress.too_large = true;
    return 0;
  }
  progress.answer.body.append(bytes, count);
  return count;
}

std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  progress.head_begun = true;
  progress.head_bytes += count;
  if (progress.head_bytes > kMaxHead) {
    progress.too_large = true;
    return 0;
  }
  std::string_view line(bytes, count);
  line = trim(line.substr(0, line.find_first_of("\r\n")));
  if (line.starts_with("HTTP/")) {
    progress.answer.headers.clear();  // those of a 1xx
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    progress.answer.headers.emplace_back(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  return count;
}

std::string with_system_authorities(CURL* easy, const std::string& authorities) {
  const char* path = nullptr;
  curl_easy_getinfo(easy, CURLINFO_CAINFO, &path);
  if (!path) return authorities;
  std::ifstream in(path, std::ios::binary);
  std::string out{std::istreambuf_iterator<char>(in), {}};
  return out + '\n' + authorities;
}

// Host and port of an https or http URL.
struct Target {
  std::string scheme, host, port, rest;
};

bool take_apart(const std::string& url, Target& out) {
  CURLU* const handle = curl_url();
  const auto part = [handle](CURLUPart which, unsigned flags, std::string& to) {
    char* text = nullptr;
    const bool good = curl_url_get(handle, which, &text, flags) == CURLUE_OK;
    if (good) to = text;
    curl_free(text);
    return good;
  };
  std::string query;
  bool good = curl_url_set(handle, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
              part(CURLUPART_SCHEME, 0, out.scheme) && part(CURLUPART_HOST, 0, out.host) &&
              part(CURLUPART_PORT, CURLU_DEFAULT_PORT, out.port) && part(CURLUPART_PATH, 0, out.rest);
  if (good && part(CURLUPART_QUERY, 0, query)) out.rest += '?' + query;
  curl_url_cleanup(handle);
  return good;
}

// Where a proxy could only lead to itself.
bool is_this_machine(std::string host) {
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  in_addr four;
  in6_addr six;
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == IN_LOOPBACKNET;
  if (inet_pton(AF_INET6, host.c_str(), &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six);
  return iequals(host, "localhost");
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [known, value] : headers)
    if (known == name) return value;
  return {};
}

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), connection_(std::make_unique<CurlConnection>()) {
  CURL* const easy = connection_->easy();
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "Fairlead");  // RFC 8555 §6.1 demands one
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeout);
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(std::max(options_.timeout, Duration{}));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  if (options_.authorities.empty()) return;
  const std::string bundle = options_.system_authorities ? with_system_authorities(easy, options_.authorities)
                                                         : options_.authorities;
  curl_blob blob{const_cast<char*>(bundle.data()), bundle.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
}

HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::call(const HttpRequest& request, std::stop_token stop) {
  CURL* const easy = connection_->easy();
  Progress progress{.answer = {}, .max_body = options_.max_body};
  Target target;
  if (!take_apart(request.url, target))
    return fail(502, Fault::Upstream, fmt::format("{} is no URL", fairlead::quoted(request.url)));

  curl_slist* headers = nullptr;
  for (const std::string& header : request.headers) headers = curl_slist_append(headers, header.c_str());
  std::string url = request.url;
  curl_slist* connect_to = nullptr;
  if (!options_.server_name.empty()) {
    // The certificate is checked against the name in curl's URL: that one is changed, and the connection
    // and the Host field keep the real one.
    url = fmt::format("{}://{}:{}{}", target.scheme, options_.server_name, target.port, target.rest);
    headers = curl_slist_append(headers, fmt::format("Host: {}:{}", target.host, target.port).c_str());
  }
  if (!options_.server_name.empty() || !options_.address.empty()) {
    const std::string& to = options_.address.empty() ? target.host : options_.address;
    const bool bare_v6 = to.find(':') != std::string::npos && !to.starts_with('[');
    connect_to = curl_slist_append(nullptr, fmt::format(":{}:{}{}{}:{}", target.port, bare_v6 ? "[" : "", to,
                                                        bare_v6 ? "]" : "", target.port)
                                                .c_str());
  }
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to);
  const bool is_direct = !options_.outside || is_this_machine(target.host);
  curl_easy_setopt(easy, CURLOPT_PROXY, is_direct ? "" : nullptr);  // null: as the environment says
  // curl's own "Expect: 100-continue" and "application/x-www-form-urlencoded" are nobody's wish.
  headers = curl_slist_append(headers, "Expect:");
  if (std::ranges::none_of(request.headers, [](const auto& h) { return istarts_with(h, "content-type:"); }))
    headers = curl_slist_append(headers, "Content-Type:");
  if (request.method == "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  } else if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &progress);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &progress);

  bool late = false;
  CurlConnection::Outcome ended;
  {
    const std::stop_callback wake(stop, [this] { connection_->wake(); });
    const TimePoint head_by = options_.head_timeout > Duration{}
                                  ? std::chrono::steady_clock::now() + options_.head_timeout
                                  : TimePoint::max();
    ended = connection_->run(kTimeLook, [&] {
      late = !progress.head_begun && std::chrono::steady_clock::now() >= head_by;
      return late || stop.stop_requested();
    });
  }
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &progress.answer.status);
  if (const char* to = nullptr; curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &to) == CURLE_OK && to)
    progress.answer.redirect = to;
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(easy, CURLOPT_CONNECT_TO, nullptr);
  curl_slist_free_all(headers);
  curl_slist_free_all(connect_to);

  if (stop.stop_requested()) return fail(503, Fault::Proxy, "stopped");
  const auto failure = [&](int status, std::string_view what) {
    return fail(
        status, Fault::Upstream,
        fmt::format("{} {}://{}:{}: {}", request.method, target.scheme, target.host, target.port, what));
  };
  if (late) return failure(504, "no answer in time");
  if (progress.too_large) return failure(502, "the answer is too large");
  if (!ended.problem.empty())
    return failure(ended.code == CURLE_OPERATION_TIMEDOUT ? 504 : 502, ended.problem);
  return std::move(progress.answer);
}

}  // namespace fairlead::acme
