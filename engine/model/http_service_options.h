#pragma once

// The option tables of http_service.h, which includes this file at its end.

#include "engine/model/checks.h"
#include "engine/model/http_service.h"

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Server> =
    table(option<&model::Server::url>("url", "Fixed URL of the server; excludes scheme and port."),
          option<&model::Server::scheme>("scheme", "http, https or h2c (HTTP/2 in clear text).",
                                         {.check = model::server_scheme}),
          option<&model::Server::port>("port", "Port of the container."),
          option<&model::Server::weight>("weight", "Share of the requests; 0 is never picked."),
          option<&model::Server::preserve_path>("preservePath",
                                                "Put the path of the server's URL before the request's."));
static_assert(fairlead::schema::complete<fairlead::model::Server>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::HealthCheck> =
    table(option<&model::HealthCheck::scheme>("scheme", "Replaces the scheme of the server's URL."),
          option<&model::HealthCheck::mode>("mode", "http, or grpc for the standard health protocol."),
          option<&model::HealthCheck::path>("path", "Relative path (and query) asked for."),
          option<&model::HealthCheck::method>("method", "Method of the request; GET when empty."),
          option<&model::HealthCheck::status>("status", "Status required; 0 accepts 200 to 399."),
          option<&model::HealthCheck::port>("port", "Replaces the port of the server's URL."),
          option<&model::HealthCheck::interval>("interval", "Time between two checks of a healthy server."),
          option<&model::HealthCheck::unhealthy_interval>(
              "unhealthyInterval", "Time between two checks of a server that is down."),
          option<&model::HealthCheck::timeout>("timeout", "Longest wait for an answer."),
          option<&model::HealthCheck::hostname>("hostname", "Host header of the check."),
          option<&model::HealthCheck::follow_redirects>("followRedirects", "Follow redirects of the answer.",
                                                        {.always = true}),
          option<&model::HealthCheck::headers>("headers", "Headers set on the check."));
static_assert(fairlead::schema::complete<fairlead::model::HealthCheck>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::PassiveHealthCheck> =
    table(option<&model::PassiveHealthCheck::failure_window>(
              "failureWindow", "Time in which failures are counted, and for which a server stays out."),
          option<&model::PassiveHealthCheck::max_failed_attempts>(
              "maxFailedAttempts", "Failures in the window that take a server out."));
static_assert(fairlead::schema::complete<fairlead::model::PassiveHealthCheck>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ResponseForwarding> =
    table(option<&model::ResponseForwarding::flush_interval>(
        "flushInterval", "Time between two flushes to the client; negative flushes after each write."));
static_assert(fairlead::schema::complete<fairlead::model::ResponseForwarding>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::LoadBalancer> = table(
    option<&model::LoadBalancer::strategy>("strategy", "How a server is picked: wrr, p2c, hrw or leasttime.",
                                           {.check = model::lb_strategy}),
    option<&model::LoadBalancer::sticky>("sticky", "Ties clients to servers.", {.allow_empty = true}),
    option<&model::LoadBalancer::servers>("servers", "Servers that answer.", {.alias = "server"}),
    option<&model::LoadBalancer::health_check>("healthCheck",
                                               "Asks servers at an interval whether they are well."),
    option<&model::LoadBalancer::passive_health_check>("passiveHealthCheck",
                                                       "Takes a server out after failures of real requests."),
    option<&model::LoadBalancer::pass_host_header>("passHostHeader", "Send the client's Host header.",
                                                   {.always = true}),
    option<&model::LoadBalancer::response_forwarding>("responseForwarding",
                                                      "How answers are passed to the client."),
    option<&model::LoadBalancer::servers_transport>("serversTransport", "How servers are connected to."));
static_assert(fairlead::schema::complete<fairlead::model::LoadBalancer>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::StatusPropagation> = table();

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::WeightedChild> =
    table(option<&model::WeightedChild::name>("name", "Name of the child service."),
          option<&model::WeightedChild::weight>("weight", "Share of the requests; 0 is never picked."));
static_assert(fairlead::schema::complete<fairlead::model::WeightedChild>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Weighted> = table(
    option<&model::Weighted::services>("services", "Child services and their shares."),
    option<&model::Weighted::sticky>("sticky", "Ties clients to a child service.", {.allow_empty = true}),
    option<&model::Weighted::health_check>("healthCheck", "Report the children's status to the parent.",
                                           {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::Weighted>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::HighestRandomWeight> =
    table(option<&model::HighestRandomWeight::services>("services", "Child services and their shares."),
          option<&model::HighestRandomWeight::health_check>(
              "healthCheck", "Report the children's status to the parent.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::HighestRandomWeight>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Mirror> =
    table(option<&model::Mirror::name>("name", "Service that gets copies."),
          option<&model::Mirror::percent>("percent", "Share of the requests copied, 0 to 100.",
                                          {.check = model::percent}));
static_assert(fairlead::schema::complete<fairlead::model::Mirror>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Mirroring> = table(
    option<&model::Mirroring::service>("service", "Service whose answer is returned."),
    option<&model::Mirroring::mirror_body>("mirrorBody", "Copy the request body too.", {.always = true}),
    option<&model::Mirroring::max_body_size>("maxBodySize",
                                             "Requests with a bigger body are not copied; -1: no limit."),
    option<&model::Mirroring::mirrors>("mirrors", "Services that get copies."),
    option<&model::Mirroring::health_check>("healthCheck", "Report the main service's status to the parent.",
                                            {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::Mirroring>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::FailoverErrors> = table(
    option<&model::FailoverErrors::status>("status", "Statuses that count as a failure: codes or ranges.",
                                           {.check = model::status_or_range}),
    option<&model::FailoverErrors::max_request_body_bytes>("maxRequestBodyBytes",
                                                           "Body kept for the replay; -1: no limit."));
static_assert(fairlead::schema::complete<fairlead::model::FailoverErrors>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Failover> =
    table(option<&model::Failover::service>("service", "Service used while it is up."),
          option<&model::Failover::fallback>("fallback", "Service used while the first one is down."),
          option<&model::Failover::health_check>("healthCheck", "Report the status to the parent.",
                                                 {.allow_empty = true}),
          option<&model::Failover::errors>("errors", "Answers that send the request to the fallback."));
static_assert(fairlead::schema::complete<fairlead::model::Failover>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::HttpService> =
    table(option<&model::HttpService::load_balancer>("loadBalancer", "Balances over servers."),
          option<&model::HttpService::highest_random_weight>(
              "highestRandomWeight", "Balances over services, by the client's address."),
          option<&model::HttpService::weighted>("weighted", "Balances over services, by weight."),
          option<&model::HttpService::mirroring>("mirroring", "Copies requests to further services."),
          option<&model::HttpService::failover>("failover", "Uses a second service while the first is down."),
          option<&model::HttpService::middlewares>("middlewares",
                                                   "Middlewares around the service, after the router's."));
static_assert(fairlead::schema::complete<fairlead::model::HttpService>());
