#include "acme/dns/api.h"

#include "acme/dns/message.h"
#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::acme::dns {
namespace {

constexpr int kAttempts = 4;
constexpr std::uint64_t kLongestWait = 30;  // s that a server may ask us to wait
constexpr std::size_t kMaxWords = 300;

bool is_later(long status) { return status == 429 || (status >= 502 && status <= 504); }

// Whether it was certainly not done, or doing it twice is no harm.
bool may_repeat(const std::string& method, long status) {
  return method == "GET" ? is_later(status) : status == 429 || status == 503;
}

// What a server says about an error, wherever its API puts that.
std::string words(const ApiAnswer& answer) {
  const nlohmann::json& json = answer.json;
  if (json.is_object()) {
    for (const char* key : {"message", "detail", "error_description", "cause"})
      if (const auto found = json.find(key); found != json.end() && found->is_string())
        return found->get<std::string>();
    if (const auto error = json.find("error"); error != json.end()) {
      if (error->is_string()) return error->get<std::string>();
      if (const std::string text = text_at(*error, "message"); !text.empty()) return text;
    }
    if (const auto errors = json.find("errors");
        errors != json.end() && errors->is_array() && !errors->empty()) {
      const nlohmann::json& first = errors->front();
      const std::string text = first.is_string() ? first.get<std::string>() : text_at(first, "message");
      const std::string code = text_at(first, "code");
      if (!text.empty()) return code.empty() ? text : fmt::format("{} (code {})", text, code);
    }
  }
  return answer.body.empty() ? "" : fairlead::quoted(trim(answer.body), kMaxWords);
}

}  // namespace

std::string text_at(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number_integer() ? found->dump() : std::string();
}

std::string ApiAnswer::text(const char* key) const { return text_at(json, key); }

Api::Authorize fixed_fields(std::vector<std::string> fields) {
  return [fields = std::move(fields)](const std::string&, const std::string&, const std::string&) {
    return fields;
  };
}

std::string url_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Result<ApiAnswer> Api::call(const std::string& method, const std::string& path, const std::string& body,
                            std::stop_token stop, std::initializer_list<long> fine) const {
  HttpOptions http;
  http.timeout = http.head_timeout = options_.timeout;
  http.outside = true;
  HttpClient client(std::move(http));
  HttpRequest request{.method = method, .url = options_.base + path, .headers = {}, .body = body};
  for (int attempt = 1;; ++attempt) {
    request.headers = {"Accept: application/json"};
    if (!body.empty()) request.headers.push_back("Content-Type: " + options_.content_type);
    if (options_.authorize)
      for (std::string& field : options_.authorize(method, request.url, body))
        request.headers.push_back(std::move(field));
    auto got = client.call(request, stop);
    if (!got) return std::unexpected(got.error());
    ApiAnswer answer{.status = got->status, .body = std::move(got->body), .json = {}};
    answer.json = nlohmann::json::parse(answer.body, nullptr, false);
    if (answer.json.is_discarded()) answer.json = nullptr;
    if (answer.status / 100 == 2 || std::ranges::find(fine, answer.status) != fine.end()) return answer;
    if (options_.says_done && options_.says_done(answer)) return answer;
    const bool says_later = options_.says_later && options_.says_later(answer);
    if ((says_later || may_repeat(method, answer.status)) && attempt < kAttempts) {
      const auto asked = parse_digits(got->header("retry-after"));
      const std::uint64_t wait = asked ? *asked : std::uint64_t{1} << (attempt - 1);
      if (wait <= kLongestWait) {
        if (!sleep_for(std::chrono::seconds(wait), stop)) return fail(503, Fault::Proxy, "stopped");
        continue;
      }
    }
    std::string text = fmt::format("{} {}{} answers {}", method, options_.base,
                                   path.substr(0, path.find('?')), answer.status);
    std::string said = options_.words ? options_.words(answer) : std::string();
    if (said.empty()) said = words(answer);
    if (!said.empty()) text += ": " + said;
    if ((answer.status == 401 || answer.status == 403) && !options_.credentials.empty())
      text += fmt::format("; look at {}: is it right, and may it change this zone?", options_.credentials);
    return fail(502, Fault::Upstream, std::move(text), says_later || is_later(answer.status));
  }
}

Result<> ZoneProvider::run(const Record& record, std::stop_token stop, bool adds) {
  const auto zone = find_(record.name, stop);
  if (!zone) return std::unexpected(zone.error());
  const Place place{*zone, relative_name(record.name, *zone)};
  auto done = adds ? add(place, record, stop) : remove(place, record, stop);
  if (!done) done.error().detail = fmt::format("zone {}: {}", *zone, done.error().detail);
  return done;
}

void Remembered::put(const Record& record, std::string id) {
  const std::lock_guard lock(mutex_);
  ids_[{record.name, record.value}] = std::move(id);
}

std::optional<std::string> Remembered::take(const Record& record) {
  const std::lock_guard lock(mutex_);
  auto found = ids_.extract({record.name, record.value});
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

}  // namespace fairlead::acme::dns
