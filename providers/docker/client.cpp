#include "providers/docker/client.h"

#include "engine/base/strings.h"
#include "providers/docker/engine_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::providers::docker {
namespace {

constexpr int kMaxNonsense = 100;  // lines in a row that are no events
// A row of a list is some 2 KiB, an inspection some 10 KiB, more with labels.
constexpr std::size_t kMaxList = 64 << 20;
constexpr std::size_t kMaxInspection = 16 << 20;
constexpr std::chrono::seconds kAwaitEvents(60);  // for the head of the stream, which engines send at once

std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_version(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = parse_digits(text.substr(0, dot));
  const auto minor = parse_digits(text.substr(dot + 1));
  if (!major || !minor) return std::nullopt;
  return std::pair(*major, *minor);
}

bool is_id(std::string_view text) {
  for (const char c : text)
    if (!is_alpha(c) && !is_digit(c) && c != '_' && c != '-' && c != '.') return false;
  return !text.empty() && text[0] != '.';  // "..": another path
}

}  // namespace

std::expected<std::string, std::string> agree_on_version(std::string_view engine) {
  const auto theirs = parse_version(engine);
  if (!theirs) return std::string();
  if (*theirs < *parse_version(Client::kOldest))
    return std::unexpected(
        fmt::format("the engine speaks API {} only; {} or newer is needed", engine, Client::kOldest));
  return std::string(*theirs < *parse_version(Client::kNewest) ? engine : Client::kNewest);
}

std::string engine_message(std::string_view body) {
  const auto json = parse_json(body);
  if (json && json->is_object())
    for (const char* key : {"message", "cause"})
      if (const auto found = json->find(key); found != json->end() && found->is_string())
        return found->get<std::string>().substr(0, 300);
  return std::string(trim(body.substr(0, std::min<std::size_t>(body.find('\n'), 300))));
}

Client::Client(const Endpoint& endpoint, std::chrono::milliseconds timeout)
    : transfer_(endpoint.reach),
      timeout_(timeout.count() > 0 ? timeout : kLongest),
      fixed_version_(endpoint.api_version) {}

std::expected<void, std::string> Client::negotiate() {
  if (!fixed_version_.empty()) {
    version_ = fixed_version_;
    return {};
  }
  const auto ping = [this](bool head) {
    return transfer_.get({.path = "/_ping",
                          .headers = {},
                          .head = head,
                          .timeout = timeout_,
                          .max_body = 1 << 20,
                          .on_data = {},
                          .on_head = {}});
  };
  auto answer = ping(false);
  if (!answer) return std::unexpected(answer.error());
  // A proxy before the engine may let through only what Traefik asks, which is HEAD.
  if (answer->status == 403 || answer->status == 404 || answer->status == 405)
    if (auto second = ping(true); second && second->status == 200) answer = std::move(second);
  if (answer->status != 200)
    return std::unexpected(fmt::format("ping: status {}: {}", answer->status, engine_message(answer->body)));
  const auto named = answer->headers.find("api-version");
  auto version = agree_on_version(named == answer->headers.end() ? std::string_view() : named->second);
  if (!version) return std::unexpected(version.error());
  version_ = std::move(*version);
  return {};
}

std::expected<Answer, std::string> Client::call(std::string_view path, std::size_t max_body,
                                                std::chrono::milliseconds limit) {
  Call call{.path = version_.empty() ? std::string(path) : fmt::format("/v{}{}", version_, path),
            .headers = {},
            .timeout = std::min(timeout_, limit),
            .max_body = max_body,
            .on_data = {},
            .on_head = {}};
  auto answer = transfer_.get(call);
  if (answer && answer->status != 200 && answer->status != 404)
    return std::unexpected(fmt::format("{}: status {}: {}", path.substr(0, path.find('?')), answer->status,
                                       engine_message(answer->body)));
  return answer;
}

std::expected<std::string, std::string> Client::get(std::string_view path) {
  auto answer = call(path, kMaxList);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 404)
    return std::unexpected(fmt::format("{}: {}", path, engine_message(answer->body)));
  return std::move(answer->body);
}

std::expected<std::vector<Listed>, std::string> Client::list() {
  const auto body = get("/containers/json?all=1");
  if (!body) return std::unexpected(body.error());
  return parse_list(*body);
}

std::expected<std::optional<Container>, std::string> Client::inspect(std::string_view id,
                                                                     std::chrono::milliseconds limit) {
  if (!is_id(id)) return std::nullopt;
  const auto answer = call(fmt::format("/containers/{}/json", id), kMaxInspection, limit);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 404) return std::nullopt;
  auto container = parse_container(answer->body);
  if (!container) return std::unexpected(container.error());
  return std::move(*container);
}

std::expected<void, std::string> Client::events(const std::function<void()>& subscribed,
                                                const std::function<void(Event)>& event) {
  LineSplitter splitter;
  std::string trouble;
  int nonsense = 0;
  const auto on_line = [&](std::string_view line) {
    auto parsed = parse_event(line);
    if (!parsed) {
      if (++nonsense > kMaxNonsense) trouble = "the stream holds no events";
      return;
    }
    nonsense = 0;
    if (*parsed) event(std::move(**parsed));
  };
  const std::string path = fmt::format("/events?{}", events_query());
  Call call{.path = version_.empty() ? path : fmt::format("/v{}{}", version_, path),
            .headers = {},
            .timeout = std::chrono::milliseconds(0),
            .await_head = kAwaitEvents,
            .max_body = 1 << 20,
            .on_data =
                [&](std::string_view bytes) {
                  if (!splitter.feed(bytes, on_line)) trouble = "an event line is larger than 16 MiB";
                  return trouble.empty();
                },
            .on_head = subscribed};
  const auto answer = transfer_.get(call);
  if (!trouble.empty()) return std::unexpected(trouble);
  if (!answer) return std::unexpected("/events: " + answer.error());
  if (answer->status != 200)
    return std::unexpected(
        fmt::format("/events: status {}: {}", answer->status, engine_message(answer->body)));
  return {};
}

}  // namespace fairlead::providers::docker
