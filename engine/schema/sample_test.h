#pragma once

#include "engine/schema/option.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// A small table with one of everything, shared by this room's tests.

namespace fairlead::schema::sample {

struct Domain {
  std::string main{};
  std::vector<std::string> sans{};
};
struct RouterTls {
  std::string cert_resolver{};
  std::vector<Domain> domains{};
};
struct Router {
  std::string rule{};
  std::vector<std::string> entry_points{};
  std::vector<std::string> middlewares{};
  std::string service{};
  std::int64_t priority = 0;
  std::optional<RouterTls> tls{};
  std::string rule_syntax{};
};
struct Server {
  std::string url{};
  std::string port{};
  std::optional<int> weight{};
};
struct Cookie {
  std::string name{};
  bool secure = false;
  int max_age = 0;
};
struct Sticky {
  std::optional<Cookie> cookie{};
};
struct LoadBalancer {
  std::vector<Server> servers{};
  std::string strategy = "wrr";
  bool pass_host_header = true;
  Duration flush_interval = std::chrono::milliseconds(100);
  std::optional<Sticky> sticky{};
  std::vector<int> codes{};
};
struct Service {
  std::optional<LoadBalancer> load_balancer{};
  std::vector<std::string> mirrors{};
};
struct Auth {
  std::vector<std::string> users{};
  std::string realm{};
  std::map<std::string, std::string> headers{};
};
struct Http {
  std::map<std::string, Router> routers{};
  std::map<std::string, Service> services{};
  std::map<std::string, Node> middlewares{};
};
struct EntryPoint {
  std::string address{};
  bool as_default = false;
  std::optional<RouterTls> tls{};
};
struct Docker {
  std::string endpoint = "unix:///var/run/docker.sock";
  bool exposed_by_default = true;
  std::string password{};
};
struct Log {
  std::string level = "INFO";
  std::string file_path{};
};
struct Root {
  Http http{};
  std::map<std::string, EntryPoint> entry_points{};
  std::optional<Docker> docker{};
  Log log{};
  Node plugin{};
  Node kubernetes{};
  std::optional<double> ratio{};
};

}  // namespace fairlead::schema::sample

namespace fairlead::schema {

template <>
inline constexpr auto options<sample::Domain> =
    table(option<&sample::Domain::main>("main", "Common name."),
          option<&sample::Domain::sans>("sans", "Further names."));
template <>
inline constexpr auto options<sample::RouterTls> =
    table(option<&sample::RouterTls::cert_resolver>("certResolver", "Resolver that orders the certificate."),
          option<&sample::RouterTls::domains>("domains", "Names of the certificate."));
template <>
inline constexpr auto options<sample::Router> =
    table(option<&sample::Router::rule>("rule", "Which requests it takes."),
          option<&sample::Router::entry_points>("entryPoints", "Where it listens."),
          option<&sample::Router::middlewares>("middlewares", "In order."),
          option<&sample::Router::service>("service", "Who answers."),
          option<&sample::Router::priority>("priority", "Higher first."),
          option<&sample::Router::tls>("tls", "HTTPS only.", {.allow_empty = true}),
          option<&sample::Router::rule_syntax>("ruleSyntax", "Old rules.",
                                               {.deprecated = true, .replaced_by = "rule"}));
template <>
inline constexpr auto options<sample::Server> =
    table(option<&sample::Server::url>("url", "Address."),
          option<&sample::Server::port>("port", "Port of the container."),
          option<&sample::Server::weight>("weight", "Share.", {.check = not_negative}));
template <>
inline constexpr auto options<sample::Cookie> =
    table(option<&sample::Cookie::name>("name", "Name of the cookie."),
          option<&sample::Cookie::secure>("secure", "HTTPS only."),
          option<&sample::Cookie::max_age>("maxAge", "Lifetime in seconds.", {.always = true}));
template <>
inline constexpr auto options<sample::Sticky> =
    table(option<&sample::Sticky::cookie>("cookie", "By cookie.", {.allow_empty = true}));
template <>
inline constexpr auto options<sample::LoadBalancer> =
    table(option<&sample::LoadBalancer::servers>("servers", "Who serves.", {.alias = "server"}),
          option<&sample::LoadBalancer::strategy>("strategy", "How servers are chosen.",
                                                  {.choices = "wrr|p2c|hrw"}),
          option<&sample::LoadBalancer::pass_host_header>("passHostHeader", "Keep the client's Host.",
                                                          {.always = true}),
          option<&sample::LoadBalancer::flush_interval>("flushInterval", "Between flushes."),
          option<&sample::LoadBalancer::sticky>("sticky", "Affinity.", {.allow_empty = true}),
          option<&sample::LoadBalancer::codes>("codes", "Expected statuses."));
template <>
inline constexpr auto options<sample::Service> =
    table(option<&sample::Service::load_balancer>("loadBalancer", "Servers that share the load."),
          option<&sample::Service::mirrors>("mirrors", "Copies.", {.not_in_labels = true}));
template <>
inline constexpr auto options<sample::Auth> =
    table(option<&sample::Auth::users>("users", "name:hash", {.secret = true}),
          option<&sample::Auth::realm>("realm", "Shown by browsers.", {.check = not_empty}),
          option<&sample::Auth::headers>("headers", "Sent along."));
template <>
inline constexpr auto options<sample::Http> =
    table(option<&sample::Http::routers>("routers", "Routers."),
          option<&sample::Http::services>("services", "Services."),
          option<&sample::Http::middlewares>("middlewares", "Middlewares."));
template <>
inline constexpr auto options<sample::EntryPoint> =
    table(option<&sample::EntryPoint::address>("address", "[host]:port."),
          option<&sample::EntryPoint::as_default>("asDefault", "For routers without entry points."),
          option<&sample::EntryPoint::tls>("tls", "TLS for all routers.", {.allow_empty = true}));
template <>
inline constexpr auto options<sample::Docker> =
    table(option<&sample::Docker::endpoint>("endpoint", "Where the engine listens."),
          option<&sample::Docker::exposed_by_default>("exposedByDefault", "Without traefik.enable."),
          option<&sample::Docker::password>("password", "Of the engine.", {.secret = true}));
template <>
inline constexpr auto options<sample::Log> =
    table(option<&sample::Log::level>("level", "What is said.", {.choices = "DEBUG|INFO|WARN|ERROR"}),
          option<&sample::Log::file_path>("filePath", "Where it is said.", {.not_yet = true}));
template <>
inline constexpr auto options<sample::Root> = table(
    option<&sample::Root::http>("http", "HTTP."),
    option<&sample::Root::entry_points>("entryPoints", "Doors."),
    option<&sample::Root::docker>("docker", "Containers.", {.allow_empty = true}),
    option<&sample::Root::log>("log", "Log."), option<&sample::Root::plugin>("plugin", "Read elsewhere."),
    option<&sample::Root::kubernetes>("kubernetes", "Not ours.", {.out_of_scope = true}),
    option<&sample::Root::ratio>("ratio", "Share.", {.check = [](double v) {
                                   return v <= 1 ? Complaint() : Complaint("must be at most 1");
                                 }}));

static_assert(complete<sample::Router>() && complete<sample::LoadBalancer>() && complete<sample::Root>());
static_assert(complete<sample::Auth>() && complete<sample::Http>() && complete<sample::Docker>());

}  // namespace fairlead::schema
