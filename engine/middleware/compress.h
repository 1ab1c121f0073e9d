#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/accept_encoding.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::middleware {

struct CompressOptions {
  std::vector<std::string> excluded_content_types;
  std::vector<std::string> included_content_types;
  std::int64_t min_response_body_bytes = 1024;
  std::vector<std::string> encodings = {"gzip", "br", "zstd"};
  std::string default_encoding;
};

// Compresses response bodies on their way, by what the client accepts. A response that the server streams is
// compressed chunk by chunk, each flushed; any other waits until minResponseBodyBytes are there.
// Left alone: HEAD, tunnels, partial content, what is encoded already, what has no readable Content-Type.
class Compress final : public exchange::Middleware {
 public:
  using Options = CompressOptions;
  static Configured<std::shared_ptr<const Compress>> make(Options options, Making& making);

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  Task<exchange::Response> with(exchange::Exchange& x, exchange::Next next, Coding coding) const;
  bool wants(const exchange::Response& response) const;
  bool excludes(std::string_view type) const;
  bool wants_type(std::string_view content_type) const;

  std::vector<Coding> codings_;
  std::optional<Coding> default_;
  std::uint64_t min_bytes_ = 1024;
  std::vector<std::string> excluded_;
  std::vector<std::string> included_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::CompressOptions> = table(
    option<&middleware::CompressOptions::excluded_content_types>(
        "excludedContentTypes",
        "Media types that are never compressed; application/grpc always is one of them.", {.tier = Tier::T2}),
    option<&middleware::CompressOptions::included_content_types>(
        "includedContentTypes", "The only media types that are compressed.", {.tier = Tier::T2}),
    option<&middleware::CompressOptions::min_response_body_bytes>(
        "minResponseBodyBytes", "Smaller bodies pass as they are; 0 or less means 1024.", {.tier = Tier::T2}),
    option<&middleware::CompressOptions::encodings>(
        "encodings", "Encodings offered (gzip, br, zstd), in order of preference at equal weight.",
        {.tier = Tier::T2}),
    option<&middleware::CompressOptions::default_encoding>(
        "defaultEncoding", "Used when the request has no Accept-Encoding, and for `*`.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::CompressOptions>());
