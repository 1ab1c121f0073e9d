#pragma once

// The option tables of providers.h, which includes this file at its end.

#include "engine/model/providers.h"

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::DockerHost> = table(
    option<&model::DockerHost::endpoint>("endpoint", "Where the engine listens."),
    option<&model::DockerHost::tls>("tls", "TLS toward the engine."),
    option<&model::DockerHost::network>("network", "Network through which its containers are reached."));
static_assert(fairlead::schema::complete<fairlead::model::DockerHost>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::DockerProvider> = table(
    option<&model::DockerProvider::exposed_by_default>("exposedByDefault",
                                                       "Route containers that do not say traefik.enable."),
    option<&model::DockerProvider::constraints>(
        "constraints", "Expression over labels that a container must fulfil.", {.tier = Tier::T2}),
    option<&model::DockerProvider::allow_empty_services>(
        "allowEmptyServices", "Keep services whose containers are not healthy.", {.tier = Tier::T2}),
    option<&model::DockerProvider::network>("network", "Network through which containers are reached."),
    option<&model::DockerProvider::default_rule>("defaultRule",
                                                 "Rule of routers that have none, a Go template."),
    option<&model::DockerProvider::username>("username", "User name for the engine.", {.tier = Tier::T3}),
    option<&model::DockerProvider::password>("password", "Password for the engine.",
                                             {.secret = true, .tier = Tier::T3}),
    option<&model::DockerProvider::endpoint>(
        "endpoint", "Where the engine listens; unset: DOCKER_HOST, else unix:///var/run/docker.sock."),
    option<&model::DockerProvider::tls>("tls", "TLS toward the engine.", {.tier = Tier::T2}),
    option<&model::DockerProvider::http_client_timeout>(
        "httpClientTimeout", "Longest wait for an answer of the engine; 0: none.", {.tier = Tier::T2}),
    option<&model::DockerProvider::use_bind_port_ip>(
        "useBindPortIP", "Reach containers by their published address and port.", {.tier = Tier::T2}),
    option<&model::DockerProvider::watch>("watch", "Follow the changes of containers.", {.tier = Tier::T2}),
    option<&model::DockerProvider::forget_stopped>("forgetStopped",
                                                   "Answer 404 for stopped containers instead of 503."),
    option<&model::DockerProvider::remember_removed>("rememberRemoved",
                                                     "How long the routes of a removed container answer 503.",
                                                     {.check = schema::duration_not_negative}),
    option<&model::DockerProvider::hosts>("hosts", "Further engines, by name."));
static_assert(fairlead::schema::complete<fairlead::model::DockerProvider>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::SwarmProvider> = table(
    option<&model::SwarmProvider::exposed_by_default>("exposedByDefault",
                                                      "Route containers that do not say traefik.enable."),
    option<&model::SwarmProvider::constraints>(
        "constraints", "Expression over labels that a container must fulfil.", {.tier = Tier::T2}),
    option<&model::SwarmProvider::allow_empty_services>(
        "allowEmptyServices", "Keep services whose containers are not healthy.", {.tier = Tier::T2}),
    option<&model::SwarmProvider::network>("network", "Network through which containers are reached."),
    option<&model::SwarmProvider::default_rule>("defaultRule",
                                                "Rule of routers that have none, a Go template."),
    option<&model::SwarmProvider::username>("username", "User name for the engine.", {.tier = Tier::T3}),
    option<&model::SwarmProvider::password>("password", "Password for the engine.",
                                            {.secret = true, .tier = Tier::T3}),
    option<&model::SwarmProvider::endpoint>(
        "endpoint", "Where the engine listens; unset: DOCKER_HOST, else unix:///var/run/docker.sock."),
    option<&model::SwarmProvider::tls>("tls", "TLS toward the engine.", {.tier = Tier::T2}),
    option<&model::SwarmProvider::http_client_timeout>(
        "httpClientTimeout", "Longest wait for an answer of the engine; 0: none.", {.tier = Tier::T2}),
    option<&model::SwarmProvider::use_bind_port_ip>(
        "useBindPortIP", "Reach containers by their published address and port.", {.tier = Tier::T2}),
    option<&model::SwarmProvider::watch>("watch", "Follow the changes of containers.", {.tier = Tier::T2}),
    option<&model::SwarmProvider::refresh_seconds>("refreshSeconds", "Time between two lists of services.",
                                                   {.tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::model::SwarmProvider>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::FileProvider> = table(
    option<&model::FileProvider::directory>("directory",
                                            "Directory whose files are read; wins over filename."),
    option<&model::FileProvider::watch>("watch", "Read files again when they change."),
    option<&model::FileProvider::filename>("filename", "File to read: YAML or TOML."),
    option<&model::FileProvider::debug_log_generated_template>(
        "debugLogGeneratedTemplate", "Log the file after its templates were filled in.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::FileProvider>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::HttpProvider> =
    table(option<&model::HttpProvider::endpoint>(
              "endpoint", "URL that answers the dynamic configuration as YAML or JSON."),
          option<&model::HttpProvider::poll_interval>("pollInterval", "Time between two requests."),
          option<&model::HttpProvider::poll_timeout>("pollTimeout", "Longest wait for an answer; 0: none."),
          option<&model::HttpProvider::headers>("headers", "Headers of the request."),
          option<&model::HttpProvider::tls>("tls", "TLS toward the endpoint."),
          option<&model::HttpProvider::max_response_body_size>("maxResponseBodySize",
                                                               "Longest answer in bytes; -1: no limit."));
static_assert(fairlead::schema::complete<fairlead::model::HttpProvider>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::RestProvider> =
    table(option<&model::RestProvider::insecure>(
        "insecure", "Accept configurations on the entry point `traefik`.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::RestProvider>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Providers> = table(
    option<&model::Providers::throttle_duration>(
        "providersThrottleDuration", "Quiet time waited for before changes are applied, at most 1s in all."),
    option<&model::Providers::precedence>(
        "precedence", "Providers in the order that decides between routers of equal priority.",
        {.tier = Tier::T3}),
    option<&model::Providers::docker>("docker", "Containers of a Docker engine.", {.allow_empty = true}),
    option<&model::Providers::swarm>("swarm", "Services of a Docker Swarm.", {.allow_empty = true}),
    option<&model::Providers::file>("file", "Configuration files.", {.allow_empty = true}),
    option<&model::Providers::http>("http", "A configuration that is polled over HTTP.",
                                    {.allow_empty = true, .tier = Tier::T2}),
    option<&model::Providers::rest>("rest", "A configuration that is put over the API.",
                                    {.allow_empty = true, .tier = Tier::T3}),
    option<&model::Providers::redis>("redis", "A configuration in Redis.",
                                     {.allow_empty = true, .tier = Tier::T2}),
    option<&model::Providers::etcd>("etcd", "A configuration in etcd.",
                                    {.allow_empty = true, .tier = Tier::T2}),
    option<&model::Providers::consul>("consul", "A configuration in Consul.",
                                      {.allow_empty = true, .tier = Tier::T2}),
    option<&model::Providers::zoo_keeper>("zooKeeper", "A configuration in ZooKeeper.",
                                          {.allow_empty = true, .tier = Tier::T2}),
    option<&model::Providers::kubernetes_ingress>("kubernetesIngress", "Kubernetes ingresses.",
                                                  {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Providers::kubernetes_ingress_nginx>(
        "kubernetesIngressNGINX", "Kubernetes ingresses with annotations of ingress-nginx.",
        {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Providers::kubernetes_crd>("kubernetesCRD", "Kubernetes custom resources.",
                                              {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Providers::kubernetes_gateway>("kubernetesGateway", "Kubernetes gateway resources.",
                                                  {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Providers::knative>("knative", "Knative services.",
                                       {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Providers::consul_catalog>("consulCatalog", "Services of the Consul catalog.",
                                              {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Providers::nomad>("nomad", "Nomad services.", {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Providers::ecs>("ecs", "Amazon ECS tasks.", {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Providers::plugin>("plugin", "Provider plugins.",
                                      {.out_of_scope = true, .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::Providers>());
