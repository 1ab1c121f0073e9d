#include "engine/model/static_checks.h"

#include "engine/base/strings.h"
#include "engine/model/service_ports.h"
#include "engine/model/static_problem.h"
#include "engine/model/status_range.h"
#include "engine/schema/scalar.h"
#include "engine/schema/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace fairlead::model {
namespace {

using schema::Problem;
using schema::Severity;

// Whether two hosts to listen on want the same addresses; of names that is not known.
bool overlap(std::string_view a, std::string_view b) {
  const auto is_every = [](std::string_view host) { return host.empty() || host == "::"; };
  const auto is_v4 = [](std::string_view host) {
    return host.find_first_not_of("0123456789.") == std::string_view::npos;
  };
  constexpr std::string_view kEveryV4 = "0.0.0.0";
  return a == b || is_every(a) || is_every(b) || (a == kEveryV4 && is_v4(b)) || (b == kEveryV4 && is_v4(a));
}

class Checker {
 public:
  Checker(const Static& install, const schema::Node& root, schema::Problems& problems)
      : s_(install), root_(root), problems_(problems) {}

  void entry_points();
  void unreadable_address(const std::string& text, schema::Path at);
  void collisions();
  void entry_point_http(const std::string& name, const EntryPointHttp& http);
  void redirected_to(const std::string& name, schema::Path at);
  void services_of_our_own();
  void providers();
  void resolvers();
  void logs();
  void format(const std::string& format, schema::Path at, std::string_view known);
  void exporters();
  void without_effect();

 private:
  Problem& say(Severity severity, schema::Path segments, std::string what) {
    return model::say(problems_, root_, severity, std::move(segments), std::move(what));
  }
  void entry_point_exists(const std::string& name, schema::Path segments, Severity severity) {
    if (s_.entry_points.contains(name)) return;
    say(severity, std::move(segments), fmt::format("there is no entry point `{}`", name)).suggestion =
        schema::nearest_choice(names_of(s_.entry_points), name);
  }
  // "web|websecure"
  static std::string names_of(const auto& all) {
    std::string names;
    for (const auto& [known, unused] : all) names += (names.empty() ? "" : "|") + known;
    return names;
  }

  const Static& s_;
  const schema::Node& root_;
  schema::Problems& problems_;
};

void Checker::entry_points() {
  for (const auto& [name, entry_point] : s_.entry_points) {
    const schema::Path address = {"entryPoints", name, "address"};
    if (name.empty() || name.find('@') != std::string::npos)
      say(Severity::Error, {"entryPoints", name},
          "the name of an entry point must not be empty or contain `@`");
    if (entry_point.address.empty())
      say(Severity::Error, address, "is required: [host]:port[/tcp|/udp]");
    else if (!parse_listen_address(entry_point.address))
      unreadable_address(entry_point.address, address);
    if (const auto& proxy = entry_point.proxy_protocol;
        proxy && !proxy->insecure && proxy->trusted_ips.empty())
      say(Severity::Error, {"entryPoints", name, "proxyProtocol"},
          "names nobody to trust; set trustedIPs, or insecure to trust everyone");
    entry_point_http(name, entry_point.http);
  }
  collisions();
}

void Checker::unreadable_address(const std::string& text, schema::Path at) {
  const std::string_view address = std::string_view(text).substr(0, text.rfind('/'));
  const std::string_view port = address.substr(address.rfind(':') + 1);
  const bool is_name = address.contains(':') && !port.empty() && is_alpha(port.front());
  Problem& problem =
      say(Severity::Error, std::move(at), fmt::format("expected [host]:port[/tcp|/udp], got \"{}\"", text));
  if (address.starts_with("*:"))
    problem.what += fmt::format("; `{}` without the asterisk is every address", address.substr(1));
  const std::string bare(schema::trim(text));
  for (const std::string& meant : {bare, ":" + bare})
    if (parse_listen_address(meant)) problem.suggestion = meant;
  if (!is_name) return;
  problem.what += fmt::format(": there is no port named `{}`", port);
  problem.suggestion = nearest_service_name(port);
}

void Checker::collisions() {
  struct Taken {
    const std::string* name;
    ListenAddress address;
    bool shared;
  };
  std::vector<Taken> taken;
  for (const auto& [name, entry_point] : s_.entry_points) {
    const std::optional<ListenAddress> address = parse_listen_address(entry_point.address);
    if (!address || address->port == 0) continue;
    for (const Taken& other : taken) {
      if (other.address.port != address->port || other.address.udp != address->udp ||
          !overlap(other.address.host, address->host))
        continue;
      if (other.shared && entry_point.reuse_port) continue;
      say(Severity::Error, {"entryPoints", name, "address"},
          fmt::format("{} is taken by the entry point `{}`", entry_point.address, *other.name));
    }
    taken.push_back({&name, *address, entry_point.reuse_port});
  }
}

void Checker::entry_point_http(const std::string& name, const EntryPointHttp& http) {
  if (http.redirections && http.redirections->entry_point) {
    const std::string& to = http.redirections->entry_point->to;
    const std::string& scheme = http.redirections->entry_point->scheme;
    schema::Path at = {"entryPoints", name, "http", "redirections", "entryPoint", "to"};
    if (to.empty())
      say(Severity::Warning, std::move(at),
          "is required: an entry point, or a port as `:443`; nothing is redirected");
    else if (to == name && scheme == "http")  // to HTTPS on the same port is of use
      say(Severity::Warning, std::move(at), "redirects to itself: its requests are answered 418");
    else if (to.front() != ':')
      redirected_to(to, std::move(at));
    else if (const auto address = parse_listen_address(to); !address || address->udp || address->port == 0)
      say(Severity::Warning, std::move(at),
          fmt::format("expected an entry point or a port as `:443`, got \"{}\"; nothing is redirected", to));
  }
  if (http.tls && !http.tls->cert_resolver.empty() &&
      !s_.certificates_resolvers.contains(http.tls->cert_resolver))
    say(Severity::Warning, {"entryPoints", name, "http", "tls", "certResolver"},
        fmt::format("there is no certificate resolver `{}`; its routers are served with other certificates",
                    http.tls->cert_resolver))
        .suggestion = schema::nearest_choice(names_of(s_.certificates_resolvers), http.tls->cert_resolver);
  for (const std::string& middleware : http.middlewares)
    if (middleware.find('@') == std::string::npos)
      say(Severity::Notice, {"entryPoints", name, "http", "middlewares"},
          fmt::format("`{0}` is looked for at the provider of each router, as Traefik does; `{0}@file`, for "
                      "example, names one for all",
                      middleware));
}

void Checker::redirected_to(const std::string& name, schema::Path at) {
  const auto found = s_.entry_points.find(name);
  if (found == s_.entry_points.end()) return entry_point_exists(name, std::move(at), Severity::Warning);
  const std::optional<ListenAddress> address = parse_listen_address(found->second.address);
  if (address && address->udp)
    say(Severity::Warning, std::move(at),
        fmt::format("the entry point `{}` takes UDP: who is sent there finds nobody", name));
}

void Checker::services_of_our_own() {
  if (s_.ping && !s_.ping->manual_routing)
    entry_point_exists(s_.ping->entry_point, {"ping", "entryPoint"}, Severity::Warning);
  if (s_.metrics.prometheus && !s_.metrics.prometheus->manual_routing)
    entry_point_exists(s_.metrics.prometheus->entry_point, {"metrics", "prometheus", "entryPoint"},
                       Severity::Warning);
  if (s_.api && s_.api->insecure)
    say(Severity::Warning, {"api", "insecure"},
        "whoever reaches the entry point `traefik` can read the configuration");
}

void Checker::providers() {
  const Providers& p = s_.providers;
  // As in Traefik these are not started, and everything else is.
  if (p.file && p.file->directory.empty() && p.file->filename.empty())
    say(Severity::Warning, {"providers", "file"}, "needs a filename or a directory; it is not started");
  if (p.http && p.http->endpoint.empty())
    say(Severity::Warning, {"providers", "http", "endpoint"}, "is required; the provider is not started");
  if (p.http && p.http->poll_interval <= schema::Duration::zero())
    say(Severity::Warning, {"providers", "http", "pollInterval"},
        "must be longer than 0; the provider is not started");
  const std::string known = fmt::format("{}", fmt::join(Providers().precedence, "|"));
  for (const std::string& name : p.precedence)
    if (const std::string near = schema::nearest_choice(known, name); schema::lower(name) != near)
      say(Severity::Error, {"providers", "precedence"}, fmt::format("there is no provider `{}`", name))
          .suggestion = near;
  if (p.docker)
    for (const auto& [name, host] : p.docker->hosts)
      if (host.endpoint.empty())
        say(Severity::Error, {"providers", "docker", "hosts", name, "endpoint"}, "is required");
}

void Checker::resolvers() {
  for (const auto& [name, resolver] : s_.certificates_resolvers) {
    // A resolver that cannot work stays defined and says so: routers must not lose HTTPS over it.
    const auto at = [&name](std::initializer_list<std::string> rest) {
      schema::Path path = {"certificatesResolvers", name};
      path.insert(path.end(), rest);
      return path;
    };
    if (!resolver.acme) {
      if (resolver.tailscale.is_null())
        say(Severity::Warning, at({}), "has no `acme`; it can obtain nothing");
      continue;
    }
    const Acme& acme = *resolver.acme;
    if (!acme.dns_challenge && !acme.http_challenge && !acme.tls_challenge)
      say(Severity::Warning, at({"acme"}),
          "has no challenge; set httpChallenge.entryPoint, tlsChallenge or dnsChallenge.provider");
    if (acme.http_challenge && acme.http_challenge->entry_point.empty())
      say(Severity::Warning, at({"acme", "httpChallenge", "entryPoint"}), "is required");
    else if (acme.http_challenge)
      entry_point_exists(acme.http_challenge->entry_point, at({"acme", "httpChallenge", "entryPoint"}),
                         Severity::Warning);
    if (acme.dns_challenge && acme.dns_challenge->provider.empty())
      say(Severity::Warning, at({"acme", "dnsChallenge", "provider"}), "is required");
    if (acme.storage.empty()) say(Severity::Warning, at({"acme", "storage"}), "is required");
    if (!schema::is_choice(kKeyTypes, acme.key_type))
      say(Severity::Warning, at({"acme", "keyType"}),
          fmt::format("there is no key type `{}`; {} is used", acme.key_type, kDefaultKeyType))
          .suggestion = schema::nearest_choice(kKeyTypes, acme.key_type);
    if (acme.certificates_duration < 1)
      say(Severity::Warning, at({"acme", "certificatesDuration"}), "must be at least 1 hour");
    if (acme.client_timeout < acme.client_response_header_timeout)
      say(Severity::Warning, at({"acme", "clientTimeout"}), "is shorter than clientResponseHeaderTimeout");
  }
}

void Checker::logs() {
  const std::string& level = s_.log.level;  // empty: a variable of Compose that nobody set
  if (constexpr std::string_view kLevels = "trace|debug|info|warn|warning|error|fatal|panic";
      !level.empty() && !schema::is_choice(kLevels, schema::lower(level)))
    say(Severity::Warning, {"log", "level"}, fmt::format("there is no level `{}`; INFO is used", level))
        .suggestion = schema::nearest_choice(kLevels, schema::lower(level));
  format(s_.log.format, {"log", "format"}, "common|json");
  if (!s_.access_log) return;
  format(s_.access_log->format, {"accessLog", "format"}, "common|genericCLF|json");
  for (const std::string& text : s_.access_log->filters.status_codes)
    if (std::string remark = status_range_remark(text); !remark.empty())
      say(Severity::Notice, {"accessLog", "filters", "statusCodes"}, std::move(remark));
}

void Checker::format(const std::string& format, schema::Path at, std::string_view known) {
  if (schema::is_choice(known, format)) return;
  say(Severity::Warning, std::move(at), fmt::format("there is no format `{}`; common is used", format))
      .suggestion = schema::nearest_choice(known, format);
}

void Checker::exporters() {
  const auto grpc = [this](const std::optional<OtlpGrpc>& block, schema::Path at) {
    if (block && block->insecure && block->tls) say(Severity::Error, std::move(at), "insecure excludes tls");
  };
  if (s_.log.otlp) grpc(s_.log.otlp->grpc, {"log", "otlp", "grpc"});
  if (s_.access_log && s_.access_log->otlp) grpc(s_.access_log->otlp->grpc, {"accessLog", "otlp", "grpc"});
  if (s_.metrics.otlp) grpc(s_.metrics.otlp->grpc, {"metrics", "otlp", "grpc"});
  if (s_.tracing) grpc(s_.tracing->otlp.grpc, {"tracing", "otlp", "grpc"});
}

void Checker::without_effect() {
  const schema::Node* global = root_.find_ignoring_case("global");
  if (!global) return;
  for (const schema::Node::Entry& entry : global->entries()) {
    Problem& problem = say(Severity::Notice, {"global", entry.key}, "is accepted and does nothing");
    problem.kind = Problem::Kind::Ignored;
  }
}

// Ending of the path, in lower case, and what to say.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kRemoved = {{
    {"pilot", "was removed; drop it"},
    {"providers.docker.swarmmode", "was removed; use providers.swarm"},
    {"providers.docker.swarmmoderefreshseconds", "was removed; use providers.swarm.refreshSeconds"},
    {"providers.marathon", "was removed; drop it"},
    {"providers.rancher", "was removed; drop it"},
    {"tls.caoptional", "was removed; drop it"},
    {"docker.swarmmode", "was removed; use providers.swarm"},
    {"docker.domain", "was removed; use providers.docker.defaultRule"},
    {"enablehttp3", "was removed; set http3 of the entry point"},
    {"metrics.opentelemetry", "was renamed; use metrics.otlp"},
    {"tracing.opentelemetry", "was renamed; use tracing.otlp"},
    {"tracing.jaeger", "was removed; use tracing.otlp"},
    {"tracing.zipkin", "was removed; use tracing.otlp"},
    {"tracing.datadog", "was removed; use tracing.otlp"},
    {"tracing.instana", "was removed; use tracing.otlp"},
    {"tracing.haystack", "was removed; use tracing.otlp"},
    {"tracing.elastic", "was removed; use tracing.otlp"},
    {"tracing.spannamelimit", "was removed; drop it"},
    {"metrics.influxdb", "was removed; use metrics.otlp"},
    {"experimental.http3", "was removed; set http3 of the entry point"},
    {"providers.consul.namespace", "was removed; use namespaces"},
    {"hub", "is not supported; drop it"},
}};

}  // namespace

void check_static(const Static& install, const schema::Node& root, schema::Problems& problems) {
  Checker checker(install, root, problems);
  checker.entry_points();
  checker.services_of_our_own();
  checker.providers();
  checker.resolvers();
  checker.logs();
  checker.exporters();
  checker.without_effect();
}

void explain_removed(Problem& problem) {
  if (problem.kind != Problem::Kind::UnknownKey) return;
  const std::string path = schema::lower(fmt::format("{}", fmt::join(problem.segments, ".")));
  for (const auto& [ending, text] : kRemoved) {
    const bool ends = path.ends_with(ending) &&
                      (path.size() == ending.size() || path[path.size() - ending.size() - 1] == '.');
    // Flags and variables name the option below a removed section at once.
    const bool begins = path.starts_with(std::string(ending) + '.');
    if (!ends && !begins) continue;
    problem.what = text;
    problem.suggestion.clear();
    return;
  }
}

}  // namespace fairlead::model
