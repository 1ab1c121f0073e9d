#include "acme/client.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

namespace fairlead::acme {
namespace {

// Authorities may refuse any nonce at any time (RFC 8555 §6.5); one that refuses every other one must not be
// able to fail an order.
constexpr int kAttempts = 40;
constexpr std::size_t kMaxNonces = 64;
constexpr std::size_t kMaxIdle = 16;
constexpr auto kDirectoryFor = std::chrono::hours(1);
constexpr int kMaxRedirections = 5;

// curl's words for a server that nobody vouches for; what helps is in our options.
std::string with_advice(std::string words) {
  const auto says = [&words](std::string_view what) { return words.find(what) != std::string::npos; };
  const bool has_none = says("error setting certificate file");
  if (has_none) words += "; this machine lacks the list of known authorities: install ca-certificates";
  if (has_none || says("SSL certificate problem") || says("no alternative certificate subject name"))
    words += "; caCertificates names who vouches for it, and caServerName the name in its certificate";
  return words;
}

}  // namespace

bool Trouble::is_of_authority() const {
  if (kind != Kind::Refused) return true;
  return problem.status >= 500 || problem.status == 429 || problem.type == "serverInternal" ||
         problem.type == "rateLimited" || problem.type == "badNonce";
}

bool Trouble::is_of_some_name() const {
  return kind == Kind::Refused && (problem.type == "rejectedIdentifier" || problem.type == "malformed" ||
                                   problem.type == "unsupportedIdentifier" || problem.type == "caa");
}

std::unexpected<Trouble> trouble_of(const Error& error) {
  Trouble out;
  out.kind = error.status == 503 && error.fault == Fault::Proxy ? Trouble::Kind::Stopped
                                                                : Trouble::Kind::Unreachable;
  out.problem.detail = error.detail;
  return std::unexpected(std::move(out));
}

Client::Client(std::string directory_url, HttpOptions options)
    : directory_url_(std::move(directory_url)), options_(std::move(options)) {}

Answered<HttpResponse> Client::call(HttpRequest request, std::stop_token stop) {
  for (int hops = 0;; ++hops) {
    auto answer = call_once(request, stop);
    if (!answer || answer->status < 300) return answer;
    const std::string& to = answer->redirect;
    const bool by_get = request.method == "GET" || request.method == "HEAD";
    // Neither from https to http, nor where the name in the certificate is no longer known.
    const bool follows = by_get && hops < kMaxRedirections && options_.server_name.empty() &&
                         (istarts_with(to, "https://") ||
                          (istarts_with(to, "http://") && istarts_with(request.url, "http://")));
    if (!follows)
      return trouble_of({502, Fault::Upstream, false,
                         fmt::format("{} {}: status {}{}{}; that is not followed: does caServer name the "
                                     "directory itself?",
                                     request.method, request.url, answer->status,
                                     to.empty() ? "" : ", which points to ", to)});
    request.url = to;
  }
}

Answered<HttpResponse> Client::call_once(const HttpRequest& request, std::stop_token stop) {
  std::unique_ptr<HttpClient> connection;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!connection) connection = std::make_unique<HttpClient>(options_);
  Result<HttpResponse> answer = connection->call(request, stop);
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(connection));
  if (!answer) {
    answer.error().detail = with_advice(std::move(answer.error().detail));
    return trouble_of(answer.error());
  }
  if (const std::string_view nonce = answer->header("replay-nonce"); !nonce.empty()) {
    if (nonces_.size() == kMaxNonces) nonces_.erase(nonces_.begin());
    nonces_.emplace_back(nonce);
  }
  if (answer->status >= 200 && answer->status < 400) return std::move(*answer);
  Trouble trouble;
  trouble.kind = Trouble::Kind::Refused;
  trouble.problem = read_problem(answer->status, answer->body);
  // Without a problem document it may be anybody's answer, a proxy's or that of a wrong address.
  if (trouble.problem.type.empty())
    trouble.problem.detail = fmt::format("{} {}: {}", request.method, request.url, trouble.problem.detail);
  trouble.problem.retry_after =
      read_retry_after(answer->header("retry-after"), std::chrono::system_clock::now());
  return std::unexpected(std::move(trouble));
}

Answered<Directory> Client::directory(std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    if (directory_ && std::chrono::steady_clock::now() < directory_until_) return *directory_;
  }
  auto answer = call({.url = directory_url_}, stop);
  if (!answer) return std::unexpected(answer.error());
  auto read = read_directory(answer->body);
  if (!read)
    return trouble_of(
        {502, Fault::Upstream, false, fmt::format("{}: {}", directory_url_, read.error().detail)});
  const std::lock_guard lock(mutex_);
  directory_ = *read;
  directory_until_ = std::chrono::steady_clock::now() + kDirectoryFor;
  return std::move(*read);
}

Answered<std::string> Client::nonce(std::stop_token stop) {
  const auto take = [this]() -> std::string {
    const std::lock_guard lock(mutex_);
    if (nonces_.empty()) return {};
    // The newest: authorities forget old ones.
    std::string out = std::move(nonces_.back());
    nonces_.pop_back();
    return out;
  };
  if (std::string known = take(); !known.empty()) return known;
  auto entry = directory(stop);
  if (!entry) return std::unexpected(entry.error());
  if (std::string known = take(); !known.empty()) return known;
  auto answer = call({.method = "HEAD", .url = entry->new_nonce}, stop);
  if (!answer) return std::unexpected(answer.error());
  if (std::string fresh = take(); !fresh.empty()) return fresh;
  const std::string_view sent = answer->header("replay-nonce");
  if (!sent.empty()) return std::string(sent);  // another thread took it meanwhile; it is asked again
  return trouble_of({502, Fault::Upstream, false, "the authority hands out no nonces"});
}

Answered<HttpResponse> Client::post(const Signer& signer, const std::string& url, std::string_view payload,
                                    std::stop_token stop, std::string_view accept) {
  for (int attempt = 1;; ++attempt) {
    auto fresh = nonce(stop);
    if (!fresh) return std::unexpected(fresh.error());
    auto answer = call({.method = "POST",
                        .url = url,
                        .headers = {"Content-Type: application/jose+json", fmt::format("Accept: {}", accept)},
                        .body = signed_request(*signer.key, {url, *fresh, signer.account}, payload)},
                       stop);
    if (answer || !answer.error().is("badNonce") || attempt == kAttempts) return answer;
  }
}

Answered<HttpResponse> Client::get(const std::string& url, std::stop_token stop) {
  return call({.url = url}, std::move(stop));
}

std::vector<std::string> links(const HttpResponse& response, std::string_view relation) {
  std::vector<std::string> out;
  for (const auto& [name, value] : response.headers) {
    if (name != "link") continue;
    // One field may hold several: <a>;rel="x", <b>;rel="y". A URL may contain commas, not `>`.
    std::string_view rest = value;
    for (auto open = rest.find('<'); open != std::string_view::npos; open = rest.find('<')) {
      const auto close = rest.find('>', open);
      if (close == std::string_view::npos) break;
      const std::string_view url = rest.substr(open + 1, close - open - 1);
      const std::string_view parameters = rest.substr(close + 1, rest.find('<', close) - close - 1);
      rest.remove_prefix(close + 1);
      const bool wanted = parameters.find(fmt::format("rel=\"{}\"", relation)) != std::string_view::npos ||
                          parameters.find(fmt::format("rel={}", relation)) != std::string_view::npos;
      if (wanted && (url.starts_with("https://") || url.starts_with("http://"))) out.emplace_back(url);
    }
  }
  return out;
}

}  // namespace fairlead::acme
