#include "engine/telemetry/collector.h"

#include "engine/base/curl_connection.h"
#include "engine/base/strings.h"
#include "engine/http/url.h"

#include <fmt/format.h>
#include <protozero/pbf_reader.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace fairlead::telemetry {
namespace {

constexpr long kConnectTimeout = 5'000;          // ms
constexpr long kTimeout = 10'000;                // ms of a whole request, OTLP's default
constexpr auto kLook = std::chrono::seconds(1);  // at stopped_; stop() wakes earlier
constexpr std::size_t kMaxAnswer = 64 * 1024;    // bytes; answers hold a sentence at most
constexpr std::uint64_t kMaxAfter = 5 * 60;      // s that a collector may ask us to wait

struct Answer {
  std::map<std::string, std::string> headers;  // and trailers; names in lower case
  std::string body;
  bool too_large = false;
};

std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* user) {
  auto& answer = *static_cast<Answer*>(user);
  if (answer.body.size() + count > kMaxAnswer) {
    answer.too_large = true;
    return 0;
  }
  answer.body.append(bytes, count);
  return count;
}

std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* user) {
  auto& answer = *static_cast<Answer*>(user);
  const std::string_view whole(bytes, count);
  const std::string_view line = trim(whole.substr(0, whole.find_first_of("\r\n")));
  if (line.starts_with("HTTP/"))
    answer.headers.clear();  // those of a 1xx
  else if (const auto colon = line.find(':'); colon != std::string_view::npos && answer.headers.size() < 256)
    answer.headers[lower(line.substr(0, colon))] = trim(line.substr(colon + 1));
  return count;
}

// What an Export…ServiceResponse says about records that were thrown away; its numbers are the same for all
// three signals.
void read_response(std::string_view message, Delivery& out) {
  try {
    protozero::pbf_reader response(message.data(), message.size());
    if (!response.next(1)) return;
    protozero::pbf_reader partial = response.get_message();
    while (partial.next()) {
      if (partial.tag() == 1)
        out.rejected = static_cast<std::uint64_t>(std::max<std::int64_t>(partial.get_int64(), 0));
      else if (partial.tag() == 2)
        out.why = partial.get_string();
      else
        partial.skip();
    }
  } catch (const protozero::exception&) {
    // It was taken, whatever the collector says about it.
  }
}

// OTLP 1.5 §"Retryable Response Codes".
Delivery by_http_status(long status, const Answer& answer) {
  Delivery out;
  if (status == 200) return out;
  const bool later = status == 429 || (status >= 502 && status <= 504);
  out.end = later ? Delivery::End::Later : Delivery::End::Refused;
  out.why = fmt::format("status {}", status);
  if (const auto after = answer.headers.find("retry-after"); later && after != answer.headers.end())
    if (const auto seconds = parse_digits(after->second))
      out.after = std::chrono::seconds(std::min(*seconds, kMaxAfter));
  return out;
}

// OTLP 1.5 §"Failures" of gRPC: cancelled, deadline exceeded, resource exhausted, aborted, out of range,
// unavailable, data loss.
Delivery by_grpc_status(long status, const Answer& answer) {
  constexpr std::array<std::uint64_t, 7> kLater = {1, 4, 8, 10, 11, 14, 15};
  if (status != 200) return by_http_status(status, answer);
  const auto found = answer.headers.find("grpc-status");
  const auto code = found == answer.headers.end() ? std::nullopt : parse_digits(found->second);
  Delivery out;
  if (code == 0) return out;
  if (!code) return {.end = Delivery::End::Later, .why = "an answer without grpc-status"};
  const auto message = answer.headers.find("grpc-message");
  out.end = std::ranges::find(kLater, *code) == kLater.end() ? Delivery::End::Refused : Delivery::End::Later;
  out.why = fmt::format("grpc-status {}", *code);
  if (message != answer.headers.end())
    out.why += ": " + quoted(http::percent_decode(message->second).value_or(message->second));
  return out;
}

}  // namespace

struct Collector::Handles : CurlConnection {
  ~Handles() { curl_slist_free_all(headers); }
  curl_slist* headers = nullptr;
};

Collector::Collector(const Endpoint& endpoint) : grpc_(endpoint.grpc), handles_(std::make_unique<Handles>()) {
  CURL* const easy = handles_->easy();
  for (const std::string& line : endpoint.headers)
    handles_->headers = curl_slist_append(handles_->headers, line.c_str());
  const auto header = [this](const char* line) {
    handles_->headers = curl_slist_append(handles_->headers, line);
  };
  header(grpc_ ? "Content-Type: application/grpc" : "Content-Type: application/x-protobuf");
  header("Expect:");  // curl's own "100-continue" is nobody's wish
  if (grpc_) header("TE: trailers");
  const bool secure = endpoint.url.starts_with("https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   !grpc_   ? CURL_HTTP_VERSION_1_1
                   : secure ? CURL_HTTP_VERSION_2TLS
                            : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
  // libcurl before 8.0 begins HTTP/2 anew on a connection that it uses again with prior knowledge.
  if (grpc_ && !secure) curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "Fairlead/" FAIRLEAD_VERSION);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeout);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, kTimeout);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_URL, endpoint.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, handles_->headers);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  if (const auto& tls = endpoint.tls)
    handles_->use_tls(tls->ca, tls->cert, tls->key, !tls->insecure_skip_verify);
}

Collector::~Collector() = default;

void Collector::stop() {
  stopped_ = true;
  handles_->wake();
}

Delivery Collector::send(std::string& message) {
  CURL* const easy = handles_->easy();
  const std::size_t size = message.size() - kFrame;
  if (grpc_) {
    message[0] = 0;  // not compressed
    for (std::size_t i = 0; i < 4; ++i) message[1 + i] = static_cast<char>(size >> (24 - 8 * i) & 0xff);
  }
  Answer answer;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, message.data() + (grpc_ ? 0 : kFrame));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(grpc_ ? message.size() : size));
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &answer);
  const CurlConnection::Outcome ended = handles_->run(kLook, [this] { return stopped_.load(); });
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);

  if (stopped_) return {.end = Delivery::End::Later, .why = "stopped"};
  if (answer.too_large) return {.end = Delivery::End::Refused, .why = "the answer is too large"};
  if (!ended.problem.empty()) return {.end = Delivery::End::Later, .why = ended.problem};
  Delivery out = grpc_ ? by_grpc_status(status, answer) : by_http_status(status, answer);
  if (out.end != Delivery::End::Taken) return out;
  std::string_view response = answer.body;
  if (grpc_) response = response.size() > kFrame ? response.substr(kFrame) : std::string_view{};
  read_response(response, out);
  return out;
}

}  // namespace fairlead::telemetry
