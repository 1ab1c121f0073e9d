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
  std::string main;
  std::vector<std::string> sans;
};
struct RouterTls {
  std::string cert_resolver;
  std::vector<Domain> domains;
};
struct Router {
  std::string rule;
  std::vector<std::string> entry_points;
  std::vector<std::string> middlewares;
  std::string service;
  std::int64_t priority = 0;
  std::optional<RouterTls> tls;
  std::string rule_syntax;
};
struct Server {
  std::string url;
  std::string port;
  std::optional<int> weight;
};
struct Cookie {
  std::string name;
  bool secure = false;
  int max_age = 0;
};
struct Sticky {
  std::optional<Cookie> cookie;
};
struct LoadBalancer {
  std::vector<Server> servers;
  std::string strategy = "wrr";
  bool pass_host_header = true;
  Duration flush_interval = std::chrono::milliseconds(100);
  std::optional<Sticky> sticky;
  std::vector<int> codes;
};
struct Service {
  std::optional<LoadBalancer> load_balancer;
  std::vector<std::string> mirrors;
};
struct Auth {
  std::vector<std::string> users;
  std::string realm;
  std::map<std::string, std::string> headers;
};
struct Http {
  std::map<std::string, Router> routers;
  std::map<std::string, Service> services;
  std::map<std::string, Node> middlewares;
};
struct EntryPoint {
  std::string address;
  bool as_default = false;
  std::optional<RouterTls> tls;
};
struct Docker {
  std::string endpoint = "unix:///var/run/docker.sock";
  bool exposed_by_default = true;
  std::string password;
};
struct Log {
  std::string level = "INFO";
  std::string file_path;
};
struct Root {
  Http http;
  std::map<std::string, EntryPoint> entry_points;
  std::optional<Docker> docker;
  Log log;
  Node plugin;
  Node kubernetes;
  std::optional<double> ratio;
};

}  // namespace fairlead::schema::sample

namespace fairlead {

using namespace schema::sample;  // NOLINT: tables of tests only

template <>
inline constexpr auto schema::options<Domain> = schema::table(
    option<&Domain::main>("main", "Common name."), option<&Domain::sans>("sans", "Further names."));
template <>
inline constexpr auto schema::options<RouterTls> =
    schema::table(option<&RouterTls::cert_resolver>("certResolver", "Resolver that orders the certificate."),
                  option<&RouterTls::domains>("domains", "Names of the certificate."));
template <>
inline constexpr auto schema::options<Router> = schema::table(
    option<&Router::rule>("rule", "Which requests it takes."),
    option<&Router::entry_points>("entryPoints", "Where it listens."),
    option<&Router::middlewares>("middlewares", "In order."),
    option<&Router::service>("service", "Who answers."),
    option<&Router::priority>("priority", "Higher first."),
    option<&Router::tls>("tls", "HTTPS only.", {.allow_empty = true}),
    option<&Router::rule_syntax>("ruleSyntax", "Old rules.", {.deprecated = true, .replaced_by = "rule"}));
template <>
inline constexpr auto schema::options<Server> = schema::table(
    option<&Server::url>("url", "Address."), option<&Server::port>("port", "Port of the container."),
    option<&Server::weight>("weight", "Share.", {.check = schema::not_negative}));
template <>
inline constexpr auto schema::options<Cookie> = schema::table(
    option<&Cookie::name>("name", "Name of the cookie."), option<&Cookie::secure>("secure", "HTTPS only."),
    option<&Cookie::max_age>("maxAge", "Lifetime in seconds.", {.always = true}));
template <>
inline constexpr auto schema::options<Sticky> =
    schema::table(option<&Sticky::cookie>("cookie", "By cookie.", {.allow_empty = true}));
template <>
inline constexpr auto schema::options<LoadBalancer> = schema::table(
    option<&LoadBalancer::servers>("servers", "Who serves.", {.alias = "server"}),
    option<&LoadBalancer::strategy>("strategy", "How servers are chosen.", {.choices = "wrr|p2c|hrw"}),
    option<&LoadBalancer::pass_host_header>("passHostHeader", "Keep the client's Host.", {.always = true}),
    option<&LoadBalancer::flush_interval>("flushInterval", "Between flushes."),
    option<&LoadBalancer::sticky>("sticky", "Affinity.", {.allow_empty = true}),
    option<&LoadBalancer::codes>("codes", "Expected statuses."));
template <>
inline constexpr auto schema::options<Service> =
    schema::table(option<&Service::load_balancer>("loadBalancer", "Servers that share the load."),
                  option<&Service::mirrors>("mirrors", "Copies.", {.not_in_labels = true}));
template <>
inline constexpr auto schema::options<Auth> =
    schema::table(option<&Auth::users>("users", "name:hash", {.secret = true}),
                  option<&Auth::realm>("realm", "Shown by browsers.", {.check = schema::not_empty}),
                  option<&Auth::headers>("headers", "Sent along."));
template <>
inline constexpr auto schema::options<Http> = schema::table(
    option<&Http::routers>("routers", "Routers."), option<&Http::services>("services", "Services."),
    option<&Http::middlewares>("middlewares", "Middlewares."));
template <>
inline constexpr auto schema::options<EntryPoint> =
    schema::table(option<&EntryPoint::address>("address", "[host]:port."),
                  option<&EntryPoint::as_default>("asDefault", "For routers without entry points."),
                  option<&EntryPoint::tls>("tls", "TLS for all routers.", {.allow_empty = true}));
template <>
inline constexpr auto schema::options<Docker> =
    schema::table(option<&Docker::endpoint>("endpoint", "Where the engine listens."),
                  option<&Docker::exposed_by_default>("exposedByDefault", "Without traefik.enable."),
                  option<&Docker::password>("password", "Of the engine.", {.secret = true}));
template <>
inline constexpr auto schema::options<Log> =
    schema::table(option<&Log::level>("level", "What is said.", {.choices = "DEBUG|INFO|WARN|ERROR"}),
                  option<&Log::file_path>("filePath", "Where it is said.", {.not_yet = true}));
template <>
inline constexpr auto schema::options<Root> = schema::table(
    option<&Root::http>("http", "HTTP."), option<&Root::entry_points>("entryPoints", "Doors."),
    option<&Root::docker>("docker", "Containers.", {.allow_empty = true}), option<&Root::log>("log", "Log."),
    option<&Root::plugin>("plugin", "Read elsewhere."),
    option<&Root::kubernetes>("kubernetes", "Not ours.", {.out_of_scope = true}),
    option<&Root::ratio>("ratio", "Share.", {.check = [](double v) {
                           return v <= 1 ? schema::Complaint() : schema::Complaint("must be at most 1");
                         }}));

static_assert(schema::complete<Router>() && schema::complete<LoadBalancer>() && schema::complete<Root>());
static_assert(schema::complete<Auth>() && schema::complete<Http>() && schema::complete<Docker>());

}  // namespace fairlead
