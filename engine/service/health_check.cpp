#include "engine/service/health_check.h"

#include "engine/http/canonical.h"
#include "engine/http/url.h"
#include "engine/service/grpc_health.h"
#include "engine/upstream/fetch.h"
#include "engine/upstream/own_want.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace fairlead::service {
namespace {

using upstream::FetchRequest;
using upstream::FetchResponse;

constexpr auto kPassivePause = std::chrono::milliseconds(100);
constexpr int kMaxRedirects = 10;
constexpr std::uint64_t kMaxBodyBytes = 64 * 1024;  // of an answer; the rest is not read

std::string_view scheme_text(upstream::Scheme scheme) {
  switch (scheme) {
    case upstream::Scheme::Http: return "http";
    case upstream::Scheme::Https: return "https";
    case upstream::Scheme::H2c: return "h2c";
  }
  return "http";
}

std::string_view header(const FetchResponse& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers)
    if (iequals(key, name)) return value;
  return {};
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// What follows "//host" of an absolute URL begins here.
std::size_t path_start(std::string_view url) {
  const std::size_t scheme = url.find("://");
  return std::min(url.find_first_of("/?#", scheme == std::string_view::npos ? 0 : scheme + 3), url.size());
}

// A target as it may be sent: spaces and bytes beyond ASCII as escapes, without dot segments.
std::string sendable(std::string_view target) {
  std::string out;
  for (const char c : target) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      http::append_escape(out, c);
    else
      out += c;
  }
  const std::size_t mark = std::min(out.find('?'), out.size());
  std::string path = out.substr(0, mark);
  if (path.find("/.") == std::string::npos || !http::canonicalize_path(path, true)) return out;
  return path + out.substr(mark);
}

// `reference` is a path, absolute or relative to the directory of `base` (RFC 3986 §5.2.3).
std::string join_path(std::string_view base, std::string_view reference) {
  if (reference.starts_with('/')) return sendable(reference);
  base = base.substr(0, base.find_first_of("?#"));
  if (reference.starts_with('?')) return sendable(fmt::format("{}{}", base.empty() ? "/" : base, reference));
  const std::size_t slash = base.rfind('/');
  return sendable(
      fmt::format("{}/{}", slash == std::string_view::npos ? "" : base.substr(0, slash), reference));
}

FetchRequest make_request(const HealthPlan& plan, std::string url) {
  const model::HealthCheck& check = *plan.active;
  FetchRequest request;
  request.method = check.method.empty() ? "GET" : check.method;
  request.url = std::move(url);
  request.host = check.hostname;
  request.timeout = check.timeout;
  request.transport = plan.transport;
  request.max_body_bytes = kMaxBodyBytes;
  request.needs_body = false;
  for (const auto& [name, value] : check.headers) {
    // The framing is ours.
    if (iequals(name, "Content-Length") || iequals(name, "Transfer-Encoding") || iequals(name, "Connection"))
      continue;
    if (!iequals(name, "Host"))
      request.headers.emplace_back(name, value);
    else if (request.host.empty())
      request.host = value;
  }
  return request;
}

bool same_host(std::string_view url, std::string_view other) {
  const auto one = upstream::ServerAddress::parse(url);
  const auto two = upstream::ServerAddress::parse(other);
  return one && two && iequals(one->host, two->host);
}

// What the check shows to its server is no business of the host that a redirect names.
void forget_credentials(FetchRequest& request) {
  constexpr std::array<std::string_view, 4> kNames = {"Authorization", "Cookie", "Cookie2",
                                                      "Proxy-Authorization"};
  std::erase_if(request.headers, [&](const auto& line) {
    return std::ranges::any_of(kNames, [&](std::string_view name) { return iequals(line.first, name); });
  });
}

// gRPC speaks HTTP/2 alone: over TLS where the check says so, else in clear text by prior knowledge, whatever
// the server's own scheme is.
std::string grpc_url(std::string_view url, std::string_view check_scheme) {
  const std::string_view rest = url.substr(url.find("://"));
  return fmt::format("{}{}{}", iequals(check_scheme, "https") ? "https" : "h2c",
                     rest.substr(0, path_start(rest)), kGrpcHealthPath);
}

FetchRequest make_grpc_request(const HealthPlan& plan, std::string_view url) {
  FetchRequest request;
  request.method = "POST";
  request.url = grpc_url(url, plan.active->scheme);
  request.host = plan.active->hostname;
  request.headers = {{"Content-Type", "application/grpc"}, {"Te", "trailers"}};
  request.body = grpc_health_question();
  request.timeout = plan.active->timeout;
  request.transport = plan.transport;
  request.max_body_bytes = kMaxBodyBytes;
  return request;
}

}  // namespace

std::string check_url(const upstream::ServerAddress& server, const model::HealthCheck& check) {
  const bool v6 = server.host.find(':') != std::string::npos;
  std::string url =
      fmt::format("{}://{}{}{}", check.scheme.empty() ? scheme_text(server.scheme) : check.scheme,
                  v6 ? "[" : "", server.host, v6 ? "]" : "");
  // The port of the URL stays when the check has another scheme, unless the URL has none.
  const bool has_port = server.host_port.ends_with(fmt::format(":{}", server.port));
  if (check.port > 0)
    url += fmt::format(":{}", check.port);
  else if (has_port)
    url += fmt::format(":{}", server.port);
  std::string_view path = std::string_view(server.url).substr(path_start(server.url));
  path = path.substr(0, path.find('#'));
  if (check.path.empty()) return url + (path.starts_with('/') ? std::string(path) : join_path({}, path));
  return url + join_path(path, check.path);
}

std::optional<std::string> redirect_target(std::string_view url, std::string_view location) {
  if (location.empty()) return std::nullopt;
  location = location.substr(0, location.find('#'));
  if (istarts_with(location, "http://") || istarts_with(location, "https://")) {
    const std::size_t path = path_start(location);
    return fmt::format("{}{}", location.substr(0, path), sendable(location.substr(path)));
  }
  if (location.starts_with("//")) return fmt::format("{}:{}", url.substr(0, url.find(':')), location);
  const std::size_t colon = location.find(':');
  if (colon != std::string_view::npos && colon < location.find_first_of("/?")) return std::nullopt;
  const std::size_t path = path_start(url);
  return fmt::format("{}{}", url.substr(0, path), join_path(url.substr(path), location));
}

// The checks of one server.
class HealthChecks::Probe {
 public:
  Probe(HealthChecks& owner, std::shared_ptr<const HealthPlan> plan, const upstream::Server& server)
      : owner_(owner),
        plan_(std::move(plan)),
        server_(server),
        url_(check_url(server.address, *plan_->active)),
        schedule_(owner.loop_, owner.running_, *server_.state, plan_->active->interval,
                  plan_->active->unhealthy_interval.value_or(plan_->active->interval)) {
    task_ = run();
    task_.start(nullptr);
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

 private:
  Task<void> run() {
    for (;;) {
      co_await schedule_.next();
      const upstream::RunningChecks::One running(owner_.running_);
      const Result<> outcome = co_await check();
      // What we lack ourselves, descriptors for one, says nothing about the server.
      if (outcome || !upstream::is_own_want(outcome.error())) tell(outcome);
    }
  }

  Task<Result<>> check() {
    const model::HealthCheck& options = *plan_->active;
    if (options.mode == "grpc") {
      Result<FetchResponse> answer =
          co_await upstream::fetch(owner_.loop_, owner_.pools_, make_grpc_request(*plan_, url_));
      if (!answer) co_return std::unexpected(std::move(answer.error()));
      if (auto problem = grpc_health_problem(*answer))
        co_return fail(502, Fault::Upstream, std::move(*problem));
      co_return Result<>{};
    }
    FetchRequest request = make_request(*plan_, url_);
    const TimePoint due = owner_.loop_.now() + options.timeout;
    for (int hop = 0;; ++hop) {
      request.timeout = std::max<Duration>(due - owner_.loop_.now(), std::chrono::milliseconds(1));
      Result<FetchResponse> answer = co_await upstream::fetch(owner_.loop_, owner_.pools_, request);
      if (!answer) co_return std::unexpected(std::move(answer.error()));
      if (options.follow_redirects && is_redirect(answer->status)) {
        if (auto target = redirect_target(request.url, header(*answer, "Location"))) {
          if (hop == kMaxRedirects)
            co_return fail(502, Fault::Upstream, fmt::format("more than {} redirects", kMaxRedirects));
          if (target->substr(0, path_start(*target)) != request.url.substr(0, path_start(request.url)))
            request.host.clear();
          if (!same_host(*target, request.url)) forget_credentials(request);
          if (answer->status <= 303 && request.method != "HEAD") request.method = "GET";
          request.url = std::move(*target);
          continue;
        }
      }
      const bool accepted = options.status > 0 ? answer->status == options.status
                                               : answer->status >= 200 && answer->status < 400;
      if (accepted) co_return Result<>{};
      co_return fail(502, Fault::Upstream,
                     options.status > 0
                         ? fmt::format("status {} instead of {}", answer->status, options.status)
                         : fmt::format("status {}", answer->status));
    }
  }

  void tell(const Result<>& outcome) {
    upstream::Health& health = server_.state->health;
    if (outcome) {
      health.failures.clear();
      if (!health.recover()) return;
      spdlog::info("service {}: server {} is up again", plan_->service, server_.address.url);
    } else {
      const std::string& problem = outcome.error().detail;
      if (!health.fail({problem, owner_.loop_.wall(), owner_.loop_.now()})) return;
      spdlog::warn("service {}: server {} is down: health check {}: {}", plan_->service, server_.address.url,
                   url_, problem);
    }
    owner_.changed_(*plan_);
  }

  HealthChecks& owner_;
  std::shared_ptr<const HealthPlan> plan_;
  upstream::Server server_;
  std::string url_;
  upstream::CheckSchedule schedule_;
  Task<void> task_;
};

// A server with a passive check: workers take it out by themselves, this notices.
class HealthChecks::Watched {
 public:
  Watched(std::shared_ptr<const HealthPlan> plan, const upstream::Server& server)
      : plan_(std::move(plan)),
        state_(server.state),
        url_(server.address.url),
        was_good_(state_->health.good()) {}

  bool is(const HealthPlan& plan, const upstream::Server& server) const {
    return state_ == server.state && plan_->key == plan.key;
  }

  void look(TimePoint now, const Changed& changed) {
    upstream::Health& health = state_->health;
    const bool was_good = std::exchange(was_good_, health.good());
    if (was_good_) return;
    const upstream::Illness illness = health.illness();
    if (was_good) {
      // What an active check found, it has told.
      if (illness.by_requests)
        spdlog::warn("service {}: server {} is down: {}", plan_->service, url_, illness.reason);
      changed(*plan_);
    }
    if (plan_->active || now - illness.began < Duration(plan_->passive->failure_window)) return;
    health.failures.clear();
    was_good_ = true;
    if (!health.recover()) return;
    spdlog::info("service {}: server {} is tried again", plan_->service, url_);
    changed(*plan_);
  }

 private:
  std::shared_ptr<const HealthPlan> plan_;
  std::shared_ptr<upstream::ServerState> state_;
  std::string url_;
  bool was_good_;
};

HealthChecks::HealthChecks(event::Loop& loop, upstream::Pools& pools, Changed changed)
    : loop_(loop), pools_(pools), changed_(std::move(changed)) {}
HealthChecks::~HealthChecks() = default;

void HealthChecks::adopt(const HealthPlans& plans) {
  std::map<std::string, std::unique_ptr<Probe>> probes;
  std::vector<Watched> watched;
  for (const auto& plan : plans) {
    for (const upstream::Server& server : plan->set->servers) {
      if (plan->active) {
        const std::string key =
            fmt::format("{} {} {:x} {:x} {}", plan->service, server.address.url, plan->key,
                        plan->transport->key, static_cast<const void*>(server.state.get()));
        auto& probe = probes[key];
        const auto known = probes_.find(key);
        if (!probe && known != probes_.end()) probe = std::move(known->second);
        if (!probe) probe = std::make_unique<Probe>(*this, plan, server);
      }
      if (!plan->passive) continue;
      const auto known =
          std::ranges::find_if(watched_, [&](const Watched& one) { return one.is(*plan, server); });
      if (known != watched_.end())
        watched.push_back(*known);
      else
        watched.emplace_back(plan, server);
    }
  }
  probes_ = std::move(probes);
  watched_ = std::move(watched);
  if (watched_.empty()) {
    watching_.cancel();
  } else if (!watching_) {
    watching_ = watch_passive();
    watching_.start(nullptr);
  }
}

Task<void> HealthChecks::watch_passive() {
  for (;;) {
    co_await loop_.sleep(kPassivePause);
    for (Watched& server : watched_) server.look(loop_.now(), changed_);
  }
}

}  // namespace fairlead::service
