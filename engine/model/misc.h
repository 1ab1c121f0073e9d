#pragma once

#include "engine/model/checks.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

// Small sections of the install configuration.
namespace fairlead::model {

struct Global {
  bool check_new_version = true;
  bool send_anonymous_usage = false;
  bool not_append_x_forwarded_for = false;

  bool operator==(const Global&) const = default;
};

struct HostResolver {
  bool cname_flattening = false;
  std::string resolv_config = "/etc/resolv.conf";
  std::int64_t resolv_depth = 5;

  bool operator==(const HostResolver&) const = default;
};

struct Experimental {
  schema::Node plugins;
  schema::Node local_plugins;
  bool abort_on_plugin_failure = false;
  schema::Node fast_proxy;
  bool otlplogs = false;
  schema::Node knative;
  schema::Node kubernetes_ingress_nginx;
  schema::Node kubernetes_gateway;

  bool operator==(const Experimental&) const = default;
};

struct Core {
  std::string default_rule_syntax = "v3";

  bool operator==(const Core&) const = default;
};

struct Ocsp {
  std::map<std::string, std::string> responder_overrides;

  bool operator==(const Ocsp&) const = default;
};

// Requests held, per service, after its last server left.
struct Hold {
  std::int64_t requests = 1000;                       // at once; 0: none is held
  schema::Duration time = std::chrono::seconds(10);   // each at most
  schema::Duration after = std::chrono::seconds(15);  // how long after the server left

  bool operator==(const Hold&) const = default;
};

struct Reasons {
  std::string detail = "short";

  bool operator==(const Reasons&) const = default;
};

struct Certificates {
  std::string export_directory;
  std::string export_hook;

  bool operator==(const Certificates&) const = default;
};

struct Memory {
  std::int64_t limit = 0;  // bytes; 0: half of what the cgroup or the machine has

  bool operator==(const Memory&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Global> =
    table(option<&model::Global::check_new_version>("checkNewVersion", "Accepted and without effect."),
          option<&model::Global::send_anonymous_usage>("sendAnonymousUsage", "Accepted and without effect."),
          option<&model::Global::not_append_x_forwarded_for>(
              "notAppendXForwardedFor", "Accepted and without effect; set it on entry points."));
static_assert(fairlead::schema::complete<fairlead::model::Global>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::HostResolver> =
    table(option<&model::HostResolver::cname_flattening>(
              "cnameFlattening", "Host() also matches the name a CNAME leads to.", {.tier = Tier::T3}),
          option<&model::HostResolver::resolv_config>("resolvConfig", "Configuration of the resolver.",
                                                      {.tier = Tier::T3}),
          option<&model::HostResolver::resolv_depth>("resolvDepth", "CNAMEs followed at most.",
                                                     {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::HostResolver>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Experimental> = table(
    option<&model::Experimental::plugins>("plugins", "Plugins.", {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Experimental::local_plugins>("localPlugins", "Local plugins.",
                                                {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Experimental::abort_on_plugin_failure>("abortOnPluginFailure", "Plugins.",
                                                          {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Experimental::fast_proxy>("fastProxy", "Another HTTP client.",
                                             {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Experimental::otlplogs>("otlplogs", "Allow logs by OTLP."),
    option<&model::Experimental::knative>("knative", "Knative services.",
                                          {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Experimental::kubernetes_ingress_nginx>("kubernetesIngressNGINX", "Kubernetes ingresses.",
                                                           {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Experimental::kubernetes_gateway>("kubernetesGateway", "Kubernetes gateway resources.",
                                                     {.out_of_scope = true, .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::Experimental>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Core> =
    table(option<&model::Core::default_rule_syntax>(
        "defaultRuleSyntax", "Rule language of routers that name none: v3 or v2.",
        {.choices = "v3|v2",
         .deprecated = true,
         .replaced_by = "rules of the v3 language, and leave this out"}));
static_assert(fairlead::schema::complete<fairlead::model::Core>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Ocsp> =
    table(option<&model::Ocsp::responder_overrides>(
        "responderOverrides", "Responders used instead of those named in certificates."));
static_assert(fairlead::schema::complete<fairlead::model::Ocsp>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Hold> = table(
    option<&model::Hold::requests>("requests", "Requests held at once, per service; 0 switches holding off.",
                                   {.check = schema::not_negative}),
    option<&model::Hold::time>("time", "How long a request is held at most; 0 switches holding off.",
                               {.check = schema::duration_not_negative}),
    option<&model::Hold::after>(
        "after", "How long after the last server left requests are held; 0 switches holding off.",
        {.check = schema::duration_not_negative}));
static_assert(fairlead::schema::complete<fairlead::model::Hold>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Reasons> =
    table(option<&model::Reasons::detail>(
        "detail", "What error pages say: off, short or full (full only for trusted clients).",
        {.choices = "off|short|full"}));
static_assert(fairlead::schema::complete<fairlead::model::Reasons>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Certificates> =
    table(option<&model::Certificates::export_directory>(
              "export", "Directory that gets <name>/fullchain.pem and privkey.pem of each certificate."),
          option<&model::Certificates::export_hook>("exportHook",
                                                    "Command run after an exported certificate changed."));
static_assert(fairlead::schema::complete<fairlead::model::Certificates>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Memory> =
    table(option<&model::Memory::limit>(
        "limit", "Bytes that buffered bodies may use; 0: half of the cgroup's or machine's memory.",
        {.check = schema::not_negative}));
static_assert(fairlead::schema::complete<fairlead::model::Memory>());
