#include "engine/base/strings.h"
#include "engine/model/fan_out.h"
#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/references.h"
#include "engine/model/validate_parts.h"

#include <algorithm>
#include <unordered_map>

namespace fairlead::model {
namespace {

// Services and middlewares refer to each other without end only by mistake; a sane nesting is a handful deep.
constexpr int kDeepestChain = 16;

// Neither do a mirroring of ten mirrorings of ten nor fallbacks of fallbacks come near; but each level may
// double what one request costs the servers, and a container's labels alone can nest so deep.
constexpr std::uint64_t kMostRequests = 1000;

// Marks what is missing, broken below, turns in a circle, lies too deep or multiplies requests. Each element
// is looked at once, in whatever order their names have: so it is known how many levels are below one that
// was seen before, and what they make of a request.
class Graph {
 public:
  explicit Graph(Http& http) : http_(http) {}

  void run() {
    for (auto& [name, element] : http_.services) visit(element, 0);
    for (auto& [name, element] : http_.middlewares) visit(element, 0);
  }

 private:
  enum class State : unsigned char { New, Open, Done };
  struct Seen {
    State state = State::New;
    int levels = 0;  // below it
    FanOut fan_out;
  };

  template <class T>
  void visit(Element<T>& element, int depth) {
    Seen& seen = seen_[&element];  // stays where it is when the map grows
    if (seen.state != State::New) return;
    seen.state = State::Open;
    for (const Reference& reference : references(element.options)) follow(element, reference, depth);
    seen.fan_out = fan_out(
        element.options, [this](const std::string& name) { return known(http_.services, name, {0, 1}); },
        [this](const std::string& name) { return known(http_.middlewares, name, {}); });
    bound_requests(element, seen.fan_out.plus);
    seen.state = State::Done;
  }

  template <class T>
  FanOut known(const std::map<std::string, Element<T>>& elements, const std::string& name,
               FanOut otherwise) const {
    const auto found = elements.find(name);
    const auto seen = found == elements.end() ? seen_.end() : seen_.find(&found->second);
    return seen == seen_.end() ? otherwise : seen->second.fan_out;
  }

  static void bound_requests(Element<HttpService>& element, std::uint64_t requests) {
    if (requests > kMostRequests && !element.broken())
      element.break_off(
          ReasonKind::BadOption,
          fmt::format("one request could become {}{} requests to servers, which is more than {}",
                      requests == FanOut::kMost ? "at least " : "", requests, kMostRequests),
          "nest fewer mirrorings, failovers with errors.status, retries and error pages");
  }
  static void bound_requests(Element<Middleware>&, std::uint64_t) {}

  template <class T>
  void follow(Element<T>& from, const Reference& reference, int depth) {
    switch (reference.target) {
      case Target::Service: return step(from, http_.services, reference, "service", depth);
      case Target::Middleware: return step(from, http_.middlewares, reference, "middleware", depth);
      case Target::Transport:
        if (reference.name != "default@internal")
          require(from, http_.servers_transports, reference.name, "serversTransport");
        return;
    }
  }

  template <class T, class U>
  void step(Element<T>& from, std::map<std::string, Element<U>>& elements, const Reference& reference,
            const char* what, int depth) {
    if (reference.name.empty()) {
      from.break_off(ReasonKind::BadOption, fmt::format("{} names no {}", reference.option, what));
      return;
    }
    const auto found = elements.find(reference.name);
    if (found != elements.end()) {
      const Seen& below = seen_[&found->second];
      if (below.state == State::Open) {
        from.break_off(ReasonKind::BadOption,
                       fmt::format("{} leads back to the {} \"{}\"", reference.option, what, reference.name));
        return;
      }
      if (depth >= kDeepestChain || below.levels >= kDeepestChain) {
        from.break_off(ReasonKind::BadOption, fmt::format("{} is nested too deeply", reference.option));
        return;
      }
      visit(found->second, depth + 1);
      int& levels = seen_[&from].levels;
      levels = std::max(levels, below.levels + 1);
    }
    Element<U>* child = require(from, elements, reference.name, what);
    if (child && reference.status) check_status(from, *child, reference);
  }

  // A composite that acts upon the state of a child needs a child that knows it: by health check, by a
  // composite that reports, or because its provider watches the servers.
  template <class T>
  void check_status(Element<T>& from, const Element<HttpService>& child, const Reference& reference) {
    const HttpService& s = child.options;
    const bool knows =
        (s.load_balancer && (s.load_balancer->health_check || http_.standings.contains(reference.name))) ||
        (s.weighted && s.weighted->health_check) ||
        (s.highest_random_weight && s.highest_random_weight->health_check) ||
        (s.mirroring && s.mirroring->health_check) || (s.failover && s.failover->health_check);
    if (!knows)
      from.break_off(
          ReasonKind::BadOption,
          fmt::format("{}: the service \"{}\" cannot report its status", reference.option, reference.name),
          "give it a healthCheck");
  }
  template <class T>
  void check_status(Element<T>&, const Element<Middleware>&, const Reference&) {}

  Http& http_;
  std::unordered_map<const void*, Seen> seen_;
};

// RFC 3986 §4.2: the first segment of a relative path has no colon; a query may hold a whole URL.
bool is_absolute_url(std::string_view url) {
  return url.substr(0, url.find_first_of("/?#")).find(':') != std::string_view::npos;
}

void check_health(HealthCheck& check, Element<HttpService>& element) {
  check_times(check, element);
  if (is_absolute_url(check.path))
    element.break_off(ReasonKind::BadOption, "healthCheck.path must be relative to the server's URL");
  if (check.port < 0 || check.port > 65535) {
    element.break_off(ReasonKind::BadOption, fmt::format("healthCheck.port {} is no port", check.port));
  }
  if (!check.mode.empty() && check.mode != "http" && check.mode != "grpc") {
    element.warn(ReasonKind::BadOption,
                 fmt::format("healthCheck.mode \"{}\" is unknown; http is used", check.mode));
    check.mode = "http";
  }
}

bool is_server_url(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string scheme = lower(url.substr(0, colon));
  const std::string_view rest = url.substr(colon + 3);
  return (scheme == "http" || scheme == "https" || scheme == "h2c") && !rest.empty() && rest.front() != '/' &&
         rest.find_first_of(" \t\r\n") == std::string_view::npos;
}

void no_negative_weight(std::int64_t& weight, const std::string& of, Element<HttpService>& element) {
  if (weight >= 0) return;
  element.warn(ReasonKind::BadOption, fmt::format("the weight {} of {} counts as 0", weight, of));
  weight = 0;
}

void check_children(std::vector<WeightedChild>& children, Element<HttpService>& element) {
  if (children.empty() && !element.broken()) element.warn(ReasonKind::NoServer, "has no service below it");
  for (WeightedChild& child : children) no_negative_weight(child.weight, child.name, element);
}

// What no browser gets or keeps ties nobody to a server, and nothing else would tell.
void check_sticky(const std::optional<Sticky>& sticky, Element<HttpService>& element) {
  if (!sticky) return;
  if (!sticky->cookie)
    return element.warn(ReasonKind::BadOption, "sticky without a cookie ties nobody to a server",
                        "set sticky.cookie=true");
  const std::string same_site = lower(sticky->cookie->same_site);
  if (!same_site.empty() && same_site != "none" && same_site != "lax" && same_site != "strict")
    element.warn(ReasonKind::BadOption,
                 fmt::format("sticky.cookie.sameSite \"{}\" is unknown; the attribute is left out",
                             sticky->cookie->same_site),
                 "use none, lax or strict");
  if (same_site == "none" && !sticky->cookie->secure)
    element.warn(ReasonKind::BadOption, "browsers drop a sticky.cookie with sameSite none that is not secure",
                 "set sticky.cookie.secure=true");
}

void check_load_balancer(const std::string& name, LoadBalancer& lb, Element<HttpService>& element,
                         const Http& http) {
  const bool is_watched = http.standings.contains(name);
  for (Server& server : lb.servers) {
    if (!server.url.empty() && (!server.port.empty() || !server.scheme.empty()))
      element.break_off(ReasonKind::BadOption, "server.url excludes server.port and server.scheme",
                        "leave either the url or port and scheme");
    if (server.url.empty() ? !is_watched : !is_server_url(server.url))
      element.break_off(ReasonKind::BadOption, fmt::format("the server URL \"{}\" is none: expected e.g. "
                                                           "http://10.0.0.2:80",
                                                           server.url));
    if (server.weight) no_negative_weight(*server.weight, server.url, element);
  }
  if (lb.servers.empty() && !is_watched) element.warn(ReasonKind::NoServer, "has no server");
  check_sticky(lb.sticky, element);
  if (lb.health_check) check_health(*lb.health_check, element);
  if (lb.passive_health_check) {
    PassiveHealthCheck& passive = *lb.passive_health_check;
    check_time(passive.failure_window, std::chrono::seconds(10), "passiveHealthCheck.failureWindow", element);
    if (passive.max_failed_attempts < 1) {
      element.warn(ReasonKind::BadOption, "passiveHealthCheck.maxFailedAttempts must be above 0; 1 is used");
      passive.max_failed_attempts = 1;
    }
  }
}

void check_service(const std::string& name, Element<HttpService>& element, const Http& http) {
  HttpService& s = element.options;
  const int kinds = s.load_balancer.has_value() + s.weighted.has_value() +
                    s.highest_random_weight.has_value() + s.mirroring.has_value() + s.failover.has_value();
  const bool is_ours = split(name).provider == kInternalProvider;
  if (kinds == 0 && !is_ours)
    element.break_off(ReasonKind::BadOption,
                      fmt::format("the service \"{}\" does not have any type defined", name),
                      "set loadBalancer, weighted, mirroring, failover or highestRandomWeight");
  if (kinds > 1)
    element.break_off(
        ReasonKind::BadOption, "multi-types service not supported",
        "set exactly one of loadBalancer, weighted, mirroring, failover and highestRandomWeight");
  if (s.load_balancer) check_load_balancer(name, *s.load_balancer, element, http);
  if (s.weighted) {
    check_sticky(s.weighted->sticky, element);
    check_children(s.weighted->services, element);
  }
  if (s.highest_random_weight) check_children(s.highest_random_weight->services, element);
}

}  // namespace

void validate_http_services(Http& http) {
  for (auto& [name, element] : http.services) check_service(name, element, http);
  Graph(http).run();
}

}  // namespace fairlead::model
