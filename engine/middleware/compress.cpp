#include "engine/middleware/compress.h"

#include "engine/middleware/compressor.h"
#include "engine/middleware/media_type.h"

#include <algorithm>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::string_view kAcceptEncoding = "Accept-Encoding";

class CompressedBody final : public http::Body {
 public:
  // `head`: bytes of `inner` that were read already.
  CompressedBody(http::BodyPtr inner, CompressorPtr compressor, bool flush_each, std::string head)
      : inner_(std::move(inner)),
        compressor_(std::move(compressor)),
        flush_each_(flush_each),
        head_(std::move(head)) {}

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override {
    if (at_ < out_.size()) return Task<Result<http::Chunk>>::ready(take(max_bytes));
    return refill(max_bytes);
  }
  http::Fields* trailers() override { return inner_->trailers(); }

 private:
  http::Chunk take(std::size_t max_bytes) {
    const std::string_view bytes = std::string_view(out_).substr(at_, max_bytes);
    at_ += bytes.size();
    return {bytes, ended_ && at_ == out_.size()};
  }

  Task<Result<http::Chunk>> refill(std::size_t max_bytes) {
    out_.clear();
    at_ = 0;
    while (out_.empty() && !ended_) {
      if (!head_.empty()) {
        if (!compressor_->write(std::exchange(head_, {}), Compressor::Then::GoOn, out_))
          co_return no_memory();
        continue;
      }
      Result<http::Chunk> chunk = co_await inner_->read(kReadBytes);
      if (!chunk) co_return chunk;
      ended_ = chunk->last;
      const auto then = ended_        ? Compressor::Then::Finish
                        : flush_each_ ? Compressor::Then::Flush
                                      : Compressor::Then::GoOn;
      if (!compressor_->write(chunk->bytes, then, out_)) co_return no_memory();
    }
    co_return take(max_bytes);
  }

  static std::unexpected<Error> no_memory() {
    return fail(500, Fault::Proxy, "compression failed: out of memory");
  }

  http::BodyPtr inner_;
  CompressorPtr compressor_;
  bool flush_each_;
  std::string head_;
  std::string out_;     // compressed, being handed out
  std::size_t at_ = 0;  // in out_
  bool ended_ = false;  // inner_ was read to its end
};

// Bytes that were read, then the rest of the body. The bytes live in the arena of the exchange.
class Resumed final : public http::Body {
 public:
  Resumed(std::string_view head, http::BodyPtr inner) : head_(head), inner_(std::move(inner)) {}
  Task<Result<http::Chunk>> read(std::size_t max_bytes) override {
    if (head_.empty()) return inner_->read(max_bytes);
    const std::string_view bytes = head_.substr(0, max_bytes);
    head_.remove_prefix(bytes.size());
    return Task<Result<http::Chunk>>::ready(http::Chunk{.bytes = bytes, .last = false});
  }
  http::Fields* trailers() override { return inner_->trailers(); }

 private:
  std::string_view head_;
  http::BodyPtr inner_;
};

void add_vary(http::Fields& fields) {
  for (const http::Field& line : fields)
    if (iequals(line.name, "Vary") &&
        (http::has_token(line.value, kAcceptEncoding) || http::has_token(line.value, "*")))
      return;
  fields.append("Vary", kAcceptEncoding, http::known_name("Vary"));
}

// Parameters do not count, as in Traefik.
Configured<std::vector<std::string>> parse_types(const std::vector<std::string>& texts, const char* option) {
  std::vector<std::string> types;
  for (const std::string& text : texts) {
    auto type = media_type(text);
    if (!type) return misconfigured(option, "`" + text + "` is no media type");
    types.push_back(std::move(*type));
  }
  return types;
}

}  // namespace

Configured<std::shared_ptr<const Compress>> Compress::make(Options options, Making&) {
  auto made = std::make_shared<Compress>();
  if (!options.excluded_content_types.empty() && !options.included_content_types.empty())
    return misconfigured("excludedContentTypes", "cannot be combined with includedContentTypes");
  options.excluded_content_types.emplace_back("application/grpc");
  auto excluded = parse_types(options.excluded_content_types, "excludedContentTypes");
  if (!excluded) return std::unexpected(std::move(excluded.error()));
  made->excluded_ = std::move(*excluded);
  auto included = parse_types(options.included_content_types, "includedContentTypes");
  if (!included) return std::unexpected(std::move(included.error()));
  made->included_ = std::move(*included);

  if (options.encodings.empty())
    return misconfigured("encodings", "must name at least one of gzip, br, zstd");
  for (const std::string& name : options.encodings) {
    const auto coding = coding_of(name);
    if (!coding) return misconfigured("encodings", "`" + name + "` is none of gzip, br, zstd");
    if (std::ranges::find(made->codings_, *coding) == made->codings_.end()) made->codings_.push_back(*coding);
  }
  if (!options.default_encoding.empty()) {
    made->default_ = coding_of(options.default_encoding);
    if (!made->default_ || std::ranges::find(made->codings_, *made->default_) == made->codings_.end())
      return misconfigured("defaultEncoding", "must be one of the encodings");
  }
  if (options.min_response_body_bytes > 0)
    made->min_bytes_ = static_cast<std::uint64_t>(options.min_response_body_bytes);
  return made;
}

Task<Response> Compress::handle(Exchange& x, exchange::Next next) const {
  if (x.request.method == "HEAD" || !x.request.upgrade.empty() || (x.body && x.body->tunnel()))
    return next(x);
  if (const std::string_view type = x.request.fields.get(http::Name::ContentType); !type.empty()) {
    const auto parsed = media_type(type);
    if (parsed && excludes(*parsed)) return next(x);
  }
  const std::optional<Coding> coding = choose_coding(x.request.fields, codings_, default_);
  return coding ? with(x, next, *coding) : next(x);
}

// Calls of gRPC compress their messages themselves, whatever these are made of ("application/grpc+proto").
bool Compress::excludes(std::string_view type) const {
  return type.starts_with("application/grpc+") || std::ranges::find(excluded_, type) != excluded_.end();
}

bool Compress::wants_type(std::string_view content_type) const {
  if (content_type.empty()) return included_.empty();
  const auto type = media_type(content_type);
  if (!type) return false;
  if (!included_.empty()) return std::ranges::find(included_, *type) != included_.end();
  return !excludes(*type);
}

bool Compress::wants(const Response& response) const {
  const http::ResponseHead& head = response.head;
  if (!response.body || response.body->tunnel() || !head.upgrade.empty()) return false;
  if (http::never_has_content(head.status)) return false;
  // A range is a part of the bytes as they are; its receiver puts it together with other parts.
  if (head.status == 206 || head.fields.has("Content-Range")) return false;
  if (!head.fields.get("Content-Encoding").empty()) return false;
  return wants_type(head.fields.get(http::Name::ContentType));
}

Task<Response> Compress::with(Exchange& x, exchange::Next next, Coding coding) const {
  Response response = co_await next(x);
  add_vary(response.head.fields);
  if (!wants(response)) co_return response;

  std::string head;
  auto length = response.head.content_length;
  if (!length) length = response.body->length();
  if (length && *length < min_bytes_) co_return response;
  if (!length && !response.flush_each) {
    bool last = false;
    while (!last && head.size() < min_bytes_) {
      Result<http::Chunk> chunk = co_await response.body->read(kReadBytes);
      if (!chunk) co_return exchange::failure(x, std::move(chunk.error()));
      head += chunk->bytes;
      last = chunk->last;
    }
    if (last && head.size() < min_bytes_) {
      response.head.content_length = head.size();
      response.head.chunked = false;
      response.body = head.empty() ? nullptr : http::text_body(x.arena().copy(head));
      co_return response;
    }
    if (last) response.body = http::text_body(x.arena().copy(std::exchange(head, {})));
  }
  CompressorPtr compressor = make_compressor(coding);
  if (!compressor) {
    if (!head.empty())
      response.body = http::BodyPtr(new Resumed(x.arena().copy(head), std::move(response.body)));
    co_return response;
  }
  response.body = http::BodyPtr(new CompressedBody(std::move(response.body), std::move(compressor),
                                                   response.flush_each, std::move(head)));
  http::ResponseHead& to = response.head;
  to.content_length.reset();
  to.chunked = true;
  to.fields.remove(http::Name::ContentLength);
  to.fields.remove("Accept-Ranges");
  to.fields.set("Content-Encoding", text(coding));
  co_return response;
}

}  // namespace fairlead::middleware
