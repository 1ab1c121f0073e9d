#pragma once

// The option tables of entry_points.h, which includes this file at its end.

#include "engine/model/checks.h"
#include "engine/model/entry_points.h"

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EntryPointRedirect> =
    table(option<&model::EntryPointRedirect::to>("to", "Entry point to redirect to, or a port as `:443`."),
          option<&model::EntryPointRedirect::scheme>("scheme", "Scheme of the target."),
          option<&model::EntryPointRedirect::permanent>("permanent", "301 and 308 instead of 302 and 307.",
                                                        {.always = true}),
          option<&model::EntryPointRedirect::priority>("priority", "Priority of the redirecting router.",
                                                       {.tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::model::EntryPointRedirect>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Redirections> =
    table(option<&model::Redirections::entry_point>("entryPoint",
                                                    "Redirects every request to another entry point."));
static_assert(fairlead::schema::complete<fairlead::model::Redirections>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EncodedCharacters> = table(
    option<&model::EncodedCharacters::slash>("allowEncodedSlash", "Allow %2F in paths.", {.always = true}),
    option<&model::EncodedCharacters::back_slash>("allowEncodedBackSlash", "Allow %5C in paths.",
                                                  {.always = true}),
    option<&model::EncodedCharacters::null_character>("allowEncodedNullCharacter", "Allow %00 in paths.",
                                                      {.always = true}),
    option<&model::EncodedCharacters::semicolon>("allowEncodedSemicolon", "Allow %3B in paths.",
                                                 {.always = true}),
    option<&model::EncodedCharacters::percent>("allowEncodedPercent", "Allow %25 in paths.",
                                               {.always = true}),
    option<&model::EncodedCharacters::question_mark>("allowEncodedQuestionMark", "Allow %3F in paths.",
                                                     {.always = true}),
    option<&model::EncodedCharacters::hash>("allowEncodedHash", "Allow %23 in paths.", {.always = true}));
static_assert(fairlead::schema::complete<fairlead::model::EncodedCharacters>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EntryPointHttp> = table(
    option<&model::EntryPointHttp::redirections>("redirections", "Redirects requests of this entry point."),
    option<&model::EntryPointHttp::middlewares>("middlewares",
                                                "Middlewares before those of each router, as name@provider."),
    option<&model::EntryPointHttp::tls>("tls", "TLS of every router that has no tls of its own.",
                                        {.allow_empty = true}),
    option<&model::EntryPointHttp::encoded_characters>(
        "encodedCharacters", "Which escapes a path may contain.", {.tier = Tier::T2}),
    option<&model::EntryPointHttp::encode_query_semicolons>(
        "encodeQuerySemicolons", "Turn `;` in queries into %3B instead of `&`.", {.tier = Tier::T3}),
    option<&model::EntryPointHttp::sanitize_path>("sanitizePath",
                                                  "Resolve `.`, `..` and doubled slashes in paths.",
                                                  {.always = true, .tier = Tier::T2}),
    option<&model::EntryPointHttp::max_header_bytes>(
        "maxHeaderBytes", "Longest request head in bytes; a longer one is answered 431.", {.tier = Tier::T2}),
    option<&model::EntryPointHttp::underscore_headers_strategy>(
        "underscoreHeadersStrategy", "Header names with an underscore: keep, delete or reject.",
        {.choices = "keep|delete|reject", .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::model::EntryPointHttp>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EntryPointHttp2> =
    table(option<&model::EntryPointHttp2::max_concurrent_streams>(
              "maxConcurrentStreams", "Requests open at once on one connection.",
              {.check = schema::not_negative, .tier = Tier::T2}),
          option<&model::EntryPointHttp2::max_decoder_header_table_size>(
              "maxDecoderHeaderTableSize", "HPACK table of requests, in bytes.",
              {.check = schema::not_negative, .tier = Tier::T3}),
          option<&model::EntryPointHttp2::max_encoder_header_table_size>(
              "maxEncoderHeaderTableSize", "HPACK table of answers, in bytes.",
              {.check = schema::not_negative, .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::EntryPointHttp2>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EntryPointHttp3> =
    table(option<&model::EntryPointHttp3::advertised_port>(
        "advertisedPort", "Port named in Alt-Svc; 0: the entry point's.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::EntryPointHttp3>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ForwardedHeaders> =
    table(option<&model::ForwardedHeaders::insecure>("insecure", "Trust X-Forwarded-* of everyone."),
          option<&model::ForwardedHeaders::trusted_ips>(
              "trustedIPs", "Peers whose X-Forwarded-* are trusted.", {.check = model::ip_or_cidr}),
          option<&model::ForwardedHeaders::connection>(
              "connection", "Headers that may be named in Connection and still reach middlewares.",
              {.tier = Tier::T3}),
          option<&model::ForwardedHeaders::not_append_x_forwarded_for>(
              "notAppendXForwardedFor", "Do not add the peer to X-Forwarded-For.", {.tier = Tier::T3}),
          option<&model::ForwardedHeaders::add_x_forwarded_scheme_headers>(
              "addXForwardedSchemeHeaders", "Also set X-Forwarded-Scheme and X-Scheme.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::ForwardedHeaders>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ProxyProtocolIn> =
    table(option<&model::ProxyProtocolIn::insecure>("insecure", "Trust the PROXY header of everyone."),
          option<&model::ProxyProtocolIn::trusted_ips>("trustedIPs", "Peers whose PROXY header is trusted.",
                                                       {.check = model::ip_or_cidr}));
static_assert(fairlead::schema::complete<fairlead::model::ProxyProtocolIn>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::LifeCycle> =
    table(option<&model::LifeCycle::request_accept_grace_timeout>(
              "requestAcceptGraceTimeout", "How long connections are still accepted after the stop signal.",
              {.tier = Tier::T2}),
          option<&model::LifeCycle::grace_time_out>("graceTimeOut",
                                                    "How long requests in flight may then finish."));
static_assert(fairlead::schema::complete<fairlead::model::LifeCycle>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::RespondingTimeouts> =
    table(option<&model::RespondingTimeouts::read_timeout>(
              "readTimeout",
              "Bounds the whole request when set; unset: 60s for its head and for progress of its body."),
          option<&model::RespondingTimeouts::write_timeout>(
              "writeTimeout", "From the end of the head to the end of the answer; 0: none."),
          option<&model::RespondingTimeouts::idle_timeout>(
              "idleTimeout", "How long an idle connection is kept; 0: for ever."));
static_assert(fairlead::schema::complete<fairlead::model::RespondingTimeouts>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EntryPointTransport> =
    table(option<&model::EntryPointTransport::life_cycle>("lifeCycle", "Time limits of a graceful stop."),
          option<&model::EntryPointTransport::responding_timeouts>("respondingTimeouts",
                                                                   "Time limits toward clients."),
          option<&model::EntryPointTransport::keep_alive_max_time>(
              "keepAliveMaxTime", "Age at which a connection is closed; 0: none.", {.tier = Tier::T3}),
          option<&model::EntryPointTransport::keep_alive_max_requests>(
              "keepAliveMaxRequests", "Requests after which a connection is closed; 0: no limit.",
              {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::EntryPointTransport>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EntryPointUdp> =
    table(option<&model::EntryPointUdp::timeout>("timeout", "Silence that ends a UDP session.",
                                                 {.check = schema::duration_positive, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::model::EntryPointUdp>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EntryPointObservability> =
    table(option<&model::EntryPointObservability::access_logs>("accessLogs", "Write access log lines.",
                                                               {.always = true, .tier = Tier::T2}),
          option<&model::EntryPointObservability::metrics>("metrics", "Count requests.",
                                                           {.always = true, .tier = Tier::T2}),
          option<&model::EntryPointObservability::tracing>("tracing", "Trace requests.",
                                                           {.always = true, .tier = Tier::T2}),
          option<&model::EntryPointObservability::trace_verbosity>(
              "traceVerbosity", "Detail of traces: minimal or detailed.",
              {.choices = "minimal|detailed", .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::EntryPointObservability>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EntryPoint> = table(
    option<&model::EntryPoint::address>(
        "address", "Where to listen: [host]:port[/tcp|/udp]; the port is a number or a name such as https."),
    option<&model::EntryPoint::allow_acme_bypass>(
        "allowACMEByPass", "Let routers of users serve ACME challenges on this entry point.",
        {.tier = Tier::T3}),
    option<&model::EntryPoint::reuse_port>("reusePort", "Share the port with other processes (SO_REUSEPORT).",
                                           {.tier = Tier::T3}),
    option<&model::EntryPoint::as_default>("asDefault", "Serve the routers that name no entry point."),
    option<&model::EntryPoint::transport>("transport", "Time limits of connections."),
    option<&model::EntryPoint::proxy_protocol>("proxyProtocol", "Accept the PROXY protocol.",
                                               {.allow_empty = true, .tier = Tier::T2}),
    option<&model::EntryPoint::forwarded_headers>("forwardedHeaders",
                                                  "Whose X-Forwarded-* headers are trusted."),
    option<&model::EntryPoint::http>("http", "How HTTP is served here."),
    option<&model::EntryPoint::http2>("http2", "How HTTP/2 is served here."),
    option<&model::EntryPoint::http3>("http3", "Serve HTTP/3 on the same port.",
                                      {.allow_empty = true, .tier = Tier::T2}),
    option<&model::EntryPoint::udp>("udp", "How UDP is served here."),
    option<&model::EntryPoint::observability>("observability",
                                              "What is recorded about requests of this entry point."));
static_assert(fairlead::schema::complete<fairlead::model::EntryPoint>());
