#include "engine/model/static_values.h"

#include "engine/base/strings.h"
#include "engine/http/canonical.h"
#include "engine/http/fields.h"
#include "engine/model/static_problem.h"
#include "engine/schema/duration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fairlead::model {
namespace {

std::string text_of(schema::Duration value) { return schema::print_duration(value); }
template <class Number>
  requires std::is_arithmetic_v<Number>
std::string text_of(Number value) {
  return fmt::format("{}", value);
}

// A name that a label may have: letters, digits and _, and none that the metrics have themselves. With
// another one no collector would take the page.
bool is_metric_label(std::string_view name) {
  constexpr std::array<std::string_view, 6> kOwn = {"code",    "method", "protocol",
                                                    "service", "router", "entrypoint"};
  // What begins with two is Prometheus's own.
  if (name.empty() || is_digit(name.front()) || name.starts_with("__")) return false;
  return std::ranges::all_of(name, [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; }) &&
         std::ranges::find(kOwn, name) == kOwn.end();
}

class Settler {
 public:
  Settler(const schema::Node& root, schema::Problems& problems) : root_(root), problems_(problems) {}

  void entry_point(const std::string& name, EntryPoint& entry_point);
  void resolver(const std::string& name, Acme& acme);
  void api(Api& api);
  void log(Log& log);
  void tracing(Tracing& tracing);
  void prometheus(Prometheus& prometheus);

  // Below zero is zero, and `zero` says what that means.
  template <class Value>
  void at_least_0(Value& value, schema::Path at, std::string_view zero) {
    if (value >= Value{0}) return;
    warn(std::move(at), fmt::format("{} is negative and counts as 0: {}", text_of(value), zero));
    value = Value{0};
  }
  // Anything but more than zero is `instead`.
  template <class Value>
  void above_0(Value& value, schema::Path at, std::type_identity_t<Value> instead) {
    if (value > Value{0}) return;
    warn(std::move(at),
         fmt::format("must be greater than 0, got {}; {} counts", text_of(value), text_of(instead)));
    value = instead;
  }

 private:
  void warn(schema::Path at, std::string what) {
    say(problems_, root_, schema::Severity::Warning, std::move(at), std::move(what));
  }

  const schema::Node& root_;
  schema::Problems& problems_;
};

void Settler::entry_point(const std::string& name, EntryPoint& entry_point) {
  const auto at = [&name](const char* part, const char* key) {
    return schema::Path{"entryPoints", name, "transport", part, key};
  };
  LifeCycle& life = entry_point.transport.life_cycle;
  at_least_0(life.request_accept_grace_timeout, at("lifeCycle", "requestAcceptGraceTimeout"),
             "nothing is accepted after the signal");
  at_least_0(life.grace_time_out, at("lifeCycle", "graceTimeOut"), "requests in flight are not waited for");
  RespondingTimeouts& timeouts = entry_point.transport.responding_timeouts;
  if (timeouts.read_timeout)
    at_least_0(*timeouts.read_timeout, at("respondingTimeouts", "readTimeout"), "no limit");
  at_least_0(timeouts.write_timeout, at("respondingTimeouts", "writeTimeout"), "no limit");
  at_least_0(timeouts.idle_timeout, at("respondingTimeouts", "idleTimeout"), "no limit");
  above_0(entry_point.http.max_header_bytes, {"entryPoints", name, "http", "maxHeaderBytes"},
          EntryPointHttp().max_header_bytes);
}

void Settler::resolver(const std::string& name, Acme& acme) {
  const Acme usual;
  const auto at = [&name](const char* key) {
    return schema::Path{"certificatesResolvers", name, "acme", key};
  };
  above_0(acme.client_timeout, at("clientTimeout"), usual.client_timeout);
  above_0(acme.client_response_header_timeout, at("clientResponseHeaderTimeout"),
          usual.client_response_header_timeout);
  above_0(acme.certificate_timeout, at("certificateTimeout"), usual.certificate_timeout);
}

// No request ever has another path: it would be a base that nobody reaches.
void Settler::api(Api& api) {
  std::string clean = api.base_path;
  if (!http::canonicalize_path(clean, true) || clean == api.base_path) return;
  warn(
      {"api", "basePath"},
      fmt::format("paths are cleaned before they are routed, so API and dashboard are found below {}, not {}",
                  clean, api.base_path));
  api.base_path = std::move(clean);
}

void Settler::log(Log& log) {
  at_least_0(log.max_size, {"log", "maxSize"}, "100 MB");
  at_least_0(log.max_age, {"log", "maxAge"}, "files are not removed for their age");
  at_least_0(log.max_backups, {"log", "maxBackups"}, "all files are kept");
}

void Settler::tracing(Tracing& tracing) {
  const double rate = tracing.sample_rate;
  if (rate >= 0 && rate <= 1) return;
  tracing.sample_rate = rate > 1 ? 1 : 0;
  warn({"tracing", "sampleRate"},
       fmt::format("must be 0 to 1, got {}; {} counts", rate, tracing.sample_rate));
}

void Settler::prometheus(Prometheus& prometheus) {
  std::erase_if(prometheus.header_labels, [this](const auto& entry) {
    if (is_metric_label(entry.first)) return false;
    warn({"metrics", "prometheus", "headerLabels", entry.first},
         "is no name that a label may have (letters, digits and _, none of those that the metrics have "
         "themselves); it is left out");
    return true;
  });
  for (const auto& [label, header] : prometheus.header_labels)
    if (!http::is_token(header))
      warn({"metrics", "prometheus", "headerLabels", label},
           fmt::format("\"{}\" is no header name, so the label stays empty", header));
}

}  // namespace

void settle_values(Static& install, const schema::Node& root, schema::Problems& problems) {
  Settler settler(root, problems);
  for (auto& [name, entry_point] : install.entry_points) settler.entry_point(name, entry_point);
  for (auto& [name, resolver] : install.certificates_resolvers)
    if (resolver.acme) settler.resolver(name, *resolver.acme);
  if (install.api) settler.api(*install.api);
  settler.at_least_0(install.providers.throttle_duration, {"providers", "providersThrottleDuration"},
                     "every change is applied at once");
  settler.log(install.log);
  if (install.access_log)
    settler.at_least_0(install.access_log->buffering_size, {"accessLog", "bufferingSize"},
                       "lines are written as they come");
  if (install.metrics.prometheus) settler.prometheus(*install.metrics.prometheus);
  if (install.metrics.otlp)
    settler.above_0(install.metrics.otlp->push_interval, {"metrics", "otlp", "pushInterval"},
                    OtlpMetrics().push_interval);
  if (install.tracing) settler.tracing(*install.tracing);
  if (install.providers.http)
    settler.at_least_0(install.providers.http->poll_timeout, {"providers", "http", "pollTimeout"},
                       "no limit");
  settler.above_0(install.host_resolver.resolv_depth, {"hostResolver", "resolvDepth"},
                  HostResolver().resolv_depth);
}

}  // namespace fairlead::model
