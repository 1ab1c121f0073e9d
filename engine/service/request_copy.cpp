#include "engine/service/request_copy.h"

namespace fairlead::service {
namespace {

// Views of one arena become views of the other's.
void copy_head(const http::RequestHead& from, http::RequestHead& to, Arena& arena) {
  to.method = arena.copy(from.method);
  to.target = arena.copy(from.target);
  to.scheme = arena.copy(from.scheme);
  to.authority = arena.copy(from.authority);
  to.host = from.host;
  to.path = from.path;
  to.query = from.query;
  to.has_query = from.has_query;
  to.version = from.version;
  to.content_length = from.content_length;
  to.chunked = from.chunked;
  // The body is at hand: there is nothing to ask for. Upgrades are not copied.
  to.expects_continue = false;
  for (const http::Field& line : from.fields)
    if (line.known != http::Name::Expect)
      to.fields.append(arena.copy(line.name), arena.copy(line.value), line.known);
}

}  // namespace

RequestCopy::RequestCopy(const exchange::Exchange& x)
    : head_(arena_),
      client_(x.client),
      local_(x.local),
      client_ip_(arena_.copy(x.client_ip)),
      router_name_(arena_.copy(x.router_name)),
      null_forwarded_for_(x.null_forwarded_for),
      keep_forwarded_for_(x.keep_forwarded_for),
      metrics_(x.record.metrics) {
  copy_head(x.request, head_, arena_);
  // Copies are counted for their service alone, but their servers are told which trace they belong to.
  if (x.trace) x.trace->inject(head_.fields);
  if (x.tls) tls_ = *x.tls;
}

void RequestCopy::put_into(exchange::Exchange& x) const {
  copy_head(head_, x.request, x.arena());
  x.record.begun = x.loop.now();
  x.record.client = client_;
  x.record.router = router_name_;
  x.record.method = x.request.method;
  x.record.log = false;
  x.record.metrics = metrics_;
  x.client = client_;
  x.local = local_;
  x.client_ip = client_ip_;
  x.router_name = router_name_;
  x.tls = tls_ ? &*tls_ : nullptr;
  if (tls_) {
    x.record.tls_version = tls_->version;
    x.record.tls_cipher = tls_->cipher;
  }
  x.null_forwarded_for = null_forwarded_for_;
  x.keep_forwarded_for = keep_forwarded_for_;
}

void RequestCopy::drop_body() {
  head_.content_length.reset();
  head_.chunked = false;
}

void RequestCopy::set_length(std::uint64_t bytes) {
  head_.content_length = bytes;
  head_.chunked = false;
}

}  // namespace fairlead::service
