#include "providers/http/http.h"

#include "engine/base/strings.h"
#include "engine/model/read.h"
#include "engine/schema/file.h"
#include "engine/schema/file_limits.h"
#include "providers/throttle.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

namespace fairlead::providers::http {
namespace {

// Where the option sets no limit: no reader takes more.
constexpr std::size_t kMaxBody = schema::kMaxFileBytes;

Reach reach_of(const model::HttpProvider& options) {
  Reach out;
  out.base = options.endpoint;
  if (options.tls) out.tls = *options.tls;
  return out;
}

// The log and the API name the endpoint, and every router that comes from it: without a user's name and
// password, and without the query, where tokens stand.
std::string without_secrets(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == url.npos ? 0 : scheme + 3;
  const std::size_t at = url.substr(0, url.find('/', begin)).rfind('@');
  if (at == url.npos) return std::string(url);
  return std::string(url.substr(0, begin)).append(url.substr(at + 1));
}

}  // namespace

Configured<void> Http::check(const model::HttpProvider& options) {
  const std::string& url = options.endpoint;
  if (url.empty()) return misconfigured("providers.http.endpoint", "is required");
  if (!istarts_with(url, "http://") && !istarts_with(url, "https://"))
    return misconfigured("providers.http.endpoint",
                         fmt::format("{} is no http or https URL", fairlead::quoted(without_secrets(url))));
  if (options.poll_interval <= Duration::zero())
    return misconfigured("providers.http.pollInterval", "must be greater than zero");
  return {};
}

Configured<std::unique_ptr<Http>> Http::make(const model::HttpProvider& options,
                                             const model::MiddlewareTypes& types) {
  if (auto good = check(options); !good) return std::unexpected(good.error());
  return std::unique_ptr<Http>(new Http(options, types));
}

Http::Http(const model::HttpProvider& options, const model::MiddlewareTypes& types)
    : options_(options),
      shown_(without_secrets(options.endpoint)),
      types_(types),
      transfer_(reach_of(options)) {
  status_ = {false, "connecting to " + shown_, std::chrono::system_clock::now()};
}

Http::~Http() { stop(); }

void Http::start(Sink& sink) {
  thread_ = std::thread([this, &sink] { run(sink); });
}

void Http::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  transfer_.stop();
  if (thread_.joinable()) thread_.join();
}

void Http::refresh() {
  {
    const std::lock_guard lock(mutex_);
    refresh_ = true;
  }
  wake_.notify_all();
}

Status Http::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

// False when the provider is stopping.
bool Http::sleep(Duration duration) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, duration, [this] { return stopping_ || refresh_; });
  refresh_ = false;
  return !stopping_;
}

void Http::run(Sink& sink) {
  BackOff back_off;
  std::minstd_rand dice(std::random_device{}());
  std::string said;
  for (bool going = true; going;) {
    const std::string trouble = poll(sink);
    if (transfer_.stopped()) return;
    const std::string& wrong = trouble.empty() ? unread_ : trouble;
    if (wrong != said && !wrong.empty())
      spdlog::error("http provider: {}; {}", wrong,
                    published_ ? "the last good configuration stays" : "nothing of it is in effect yet");
    said = wrong;
    {
      const std::lock_guard lock(mutex_);
      if (status_.connected != wrong.empty()) status_.since = std::chrono::system_clock::now();
      status_.connected = wrong.empty();
      status_.detail = wrong.empty() ? shown_ : wrong;
    }
    if (trouble.empty()) back_off.reset();
    const double share = std::uniform_real_distribution<>(0, 1)(dice);
    going = sleep(trouble.empty() ? options_.poll_interval
                                  : Duration(back_off.next(std::chrono::milliseconds(0), share)));
  }
}

// Answers what went wrong, or nothing.
std::string Http::poll(Sink& sink) {
  Call call{.path = {},
            .headers = {},
            .timeout = std::chrono::duration_cast<std::chrono::milliseconds>(options_.poll_timeout),
            .max_body = options_.max_response_body_size >= 0
                            ? static_cast<std::size_t>(options_.max_response_body_size)
                            : kMaxBody,
            .redirections = 10,  // as many as Go's client follows
            .on_data = {},
            .on_head = {}};
  for (const auto& [key, value] : options_.headers) call.headers.push_back(fmt::format("{}: {}", key, value));
  auto answer = transfer_.get(call);
  if (!answer) return fmt::format("{}: {}", shown_, answer.error());
  if (answer->status != 200) return fmt::format("{}: status {}", shown_, answer->status);
  if (polled_ && answer->body == body_) return {};
  polled_ = true;
  body_ = std::move(answer->body);
  unread_.clear();
  // As in Traefik, only files are templates.
  const auto node = schema::read_yaml(body_, shown_, schema::keep_templates);
  // Such a body is not read again until it changes.
  if (!node)
    unread_ = fmt::format("{}: {}", node.error().path, node.error().what);
  else if (const auto why = model::no_configuration(*node))
    unread_ = fmt::format("{}: {}", shown_, *why);
  if (!unread_.empty()) return {};
  auto read = std::make_shared<model::Dynamic>(model::read_dynamic(*node, {shown_, 0, 0}, types_));
  if (published_ != nullptr && *read == *published_) return {};
  for (const model::Reason& reason : read->reasons)
    if (published_ == nullptr || std::ranges::find(published_->reasons, reason) == published_->reasons.end())
      spdlog::warn("http provider: {}{}{}", reason.text, reason.hint.empty() ? "" : "; ", reason.hint);
  published_ = read;
  sink.publish(name(), std::move(read));
  return {};
}

}  // namespace fairlead::providers::http
