#include "engine/observe/metrics.h"

#include "engine/base/strings.h"
#include "engine/base/utf8.h"
#include "engine/http/fields.h"

#include <algorithm>
#include <functional>

namespace fairlead::observe {
namespace {

constexpr std::size_t kGoneBeforeForgetting = 256;  // rows
constexpr std::size_t kMaxHeaderLabel = 256;        // bytes; a label is no place for more
constexpr double kLongest = 1e9;                    // s, of a bucket: some 30 years

// Only its worker writes a counter, so no locked instruction is needed.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

std::uint64_t mix(std::uint64_t seed, std::string_view text) {
  return seed * 0x9e3779b97f4a7c15ULL + std::hash<std::string_view>{}(text);
}

std::uint64_t nanoseconds(Duration duration) {
  return static_cast<std::uint64_t>(std::max(duration, Duration{}).count());
}

constexpr int kUnknownGrpcStatus = 2;
bool is_grpc(std::string_view protocol) { return protocol.starts_with("grpc"); }

// Whether the client got what the service asked last came to. What a gRPC call came to is only known of that.
bool is_answer_of_service(const Record& record, std::string_view protocol) {
  if (!record.reached_service) return false;
  return record.service_status == 0 || record.service_status == record.status || is_grpc(protocol);
}

constexpr std::array<std::string_view, 9> kMethods = {"GET",     "POST",  "HEAD",    "PUT",  "DELETE",
                                                      "OPTIONS", "PATCH", "CONNECT", "TRACE"};

}  // namespace

std::string_view metric_method(std::string_view method) {
  const auto found = std::ranges::find(kMethods, method);
  return found == kMethods.end() ? "EXTENSION_METHOD" : *found;
}

std::string_view metric_protocol(const Facts& facts) {
  if (iequals(facts.upgrade, "websocket")) return "websocket";
  if (!facts.request) return "http";
  const std::string_view type = facts.request->get(http::Name::ContentType);
  if (type.starts_with("application/grpc-web")) return "grpc-web";
  if (type.starts_with("application/grpc")) return "grpc";
  for (std::string_view rest = facts.request->get(http::Name::Accept); !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (iequals(trim(rest.substr(0, comma)), "text/event-stream")) return "sse";
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return "http";
}

int metric_code(const Facts& facts, std::string_view protocol) {
  if (!is_grpc(protocol)) return facts.record.status;
  constexpr int kHighest = 16;
  const auto status = facts.response ? parse_digits(facts.response->get("Grpc-Status")) : std::nullopt;
  return status && *status <= kHighest ? static_cast<int>(*status) : kUnknownGrpcStatus;
}

namespace {

// Prometheus takes no page with a byte that is no UTF-8.
std::string_view label_value(std::string_view header, std::string& scratch) {
  if (header.size() > kMaxHeaderLabel) {
    std::size_t end = kMaxHeaderLabel;
    while (end > 0 && (header[end] & 0xc0) == 0x80) --end;  // not in the middle of a character
    header = header.substr(0, end);
  }
  return as_utf8(header, scratch);
}

}  // namespace

struct Metrics::Block::Key {
  std::string_view entry_point;
  std::string_view router;
  std::string_view router_service;
  std::string_view service;
  std::string_view method;
  std::string_view protocol;
  std::string_view header_labels;
  int code = 0;
  bool tls = false;
  std::string_view version = {};
  std::string_view scheme = {};
  std::string_view server = {};
  int status = 0;
  int server_code = 0;

  bool is(const MetricRow& row) const {
    return code == row.code && tls == row.tls && method == row.method && router == row.router &&
           router_service == row.router_service && service == row.service && entry_point == row.entry_point &&
           protocol == row.protocol && header_labels == row.header_labels && server == row.server &&
           status == row.status && server_code == row.server_code && version == row.version &&
           scheme == row.scheme;
  }
  // Only so many such rows can be, whatever clients and servers make up.
  bool is_coarse() const {
    return router.empty() && server.empty() && (!entry_point.empty() || code % 100 == 0);
  }
  // Of the connections that such requests came by.
  Key of_tls(const Record& record) const {
    return {.entry_point = entry_point,
            .router = router,
            .router_service = router_service,
            .service = service,
            .method = record.tls_version,
            .protocol = record.tls_cipher,
            .header_labels = {},
            .tls = true};
  }
  std::uint64_t hash() const {
    std::uint64_t h =
        (static_cast<std::uint64_t>(server_code) * 1000 + static_cast<std::uint64_t>(code)) * 2 +
        (tls ? 1 : 0);
    for (const std::string_view part : {entry_point, router, router_service, service, method, protocol,
                                        header_labels, version, scheme, server})
      h = mix(h, part);
    return h;
  }
  // Where the row was last seen. Names are the same objects as long as the snapshot is, so their address is a
  // good guess; is() decides.
  std::size_t guess(std::size_t slots) const {
    const auto address = reinterpret_cast<std::uintptr_t>((router.empty() ? service : router).data());
    const std::size_t h = (address >> 4) * 0x9e3779b97f4a7c15ULL + static_cast<std::size_t>(code) * 31 +
                          method.size() * 7 + protocol.size() * 131 + header_labels.size() * 17 +
                          (tls ? 3 : 0);
    return (h ^ (h >> 32)) % slots;
  }
};

Metrics::Block::Block(const MetricOptions& options)
    : options_(options), no_header_labels_(options.header_names.size(), '\0') {
  for (const double seconds : options.buckets)
    limits_ns_.push_back(static_cast<std::uint64_t>(std::clamp(seconds, 0.0, kLongest) * 1e9));
}

void Metrics::Block::count(const Facts& facts) {
  const Record& record = facts.record;
  if (!record.metrics || (record.internal && !options_.internals)) return;
  Key key{.entry_point = record.entry_point,
          .router = record.router,
          .router_service = record.router_service,
          .service = {},
          .method = metric_method(record.method),
          .protocol = metric_protocol(facts),
          .header_labels = {}};
  key.code = metric_code(facts, key.protocol);
  const std::string labels = header_labels(facts);
  key.header_labels = labels;
  for (const ServicePass& pass : record.earlier_services) count_service(key, pass, record);
  if (is_answer_of_service(record, key.protocol))
    key.service = record.service;
  else if (record.reached_service)
    count_service(key, record.last_service(), record);
  count_whole(key, record);
}

void Metrics::Block::count_services(const Facts& facts) {
  const Record& record = facts.record;
  if (!record.metrics) return;
  Key key{.entry_point = {},
          .router = {},
          .router_service = {},
          .service = {},
          .method = metric_method(record.method),
          .protocol = metric_protocol(facts),
          .header_labels = {}};
  const std::string labels = header_labels(facts);
  key.header_labels = labels;
  for (const ServicePass& pass : record.earlier_services) count_service(key, pass, record);
  if (record.reached_service) count_service(key, record.last_service(), record);
}

std::string Metrics::Block::header_labels(const Facts& facts) const {
  std::string labels, scratch;
  for (const std::string& header : options_.header_names) {
    if (facts.request) labels += label_value(facts.request->get(header), scratch);
    labels += '\0';
  }
  return labels;
}

void Metrics::Block::count_whole(const Key& key, const Record& record) {
  Key full = key;
  if (options_.semantic) {
    full.version = record.protocol;
    full.scheme = record.scheme;
    full.status = record.status;
    if (!key.service.empty() && record.server_answered) {
      full.server = record.server_address;
      full.server_code = record.service_status;
    }
  }
  MetricRow& row = this->row(full);
  const Duration took = record.ended - record.begun;
  add_to(row.all, record.request_bytes, record.response_bytes, took);
  if (!key.service.empty()) {
    ServicePass pass = record.last_service();
    if (record.internal) {  // ours, and not measured by itself
      pass.response_bytes = record.response_bytes;
      pass.duration = took;
    }
    count_in(row, pass);
  }
  if (record.tls_version.empty()) return;
  MetricRow& tls = this->row(key.of_tls(record));
  add(tls.all.requests, 1);
  if (!key.service.empty()) add(tls.in_service.requests, 1);
}

void Metrics::Block::count_service(Key key, const ServicePass& pass, const Record& record) {
  key.entry_point = key.router = key.router_service = {};
  key.service = pass.service;
  key.code = is_grpc(key.protocol) ? kUnknownGrpcStatus : pass.status;
  if (options_.semantic && pass.answered) {
    key.server = pass.server_address;
    key.server_code = pass.status;
  }
  count_in(row(key), pass);
  if (!record.tls_version.empty()) add(row(key.of_tls(record)).in_service.requests, 1);
}

void Metrics::Block::count_in(MetricRow& row, const ServicePass& pass) {
  add_to(row.in_service, pass.request_bytes, pass.response_bytes, pass.duration);
  if (pass.retries > 0) add(row.retries, static_cast<std::uint64_t>(pass.retries));
  if (!row.server_buckets) return;
  const std::uint64_t waited = nanoseconds(pass.server_duration);
  add(row.server_ns, waited);
  add(row.server_buckets[bucket(waited)], 1);
}

void Metrics::Block::add_to(Counts& counts, std::uint64_t request_bytes, std::uint64_t response_bytes,
                            Duration duration) {
  const std::uint64_t took = nanoseconds(duration);
  add(counts.requests, 1);
  add(counts.request_bytes, request_bytes);
  add(counts.response_bytes, response_bytes);
  add(counts.duration_ns, took);
  add(counts.buckets[bucket(took)], 1);
}

std::size_t Metrics::Block::bucket(std::uint64_t nanoseconds) const {
  std::size_t at = 0;
  while (at < limits_ns_.size() && nanoseconds > limits_ns_[at]) ++at;
  return at;
}

MetricRow& Metrics::Block::row(const Key& key) {
  MetricRow*& recent = recent_[key.guess(recent_.size())];
  if (!recent || !key.is(*recent)) {
    MetricRow& found = find_or_insert(key);
    // Inserting may have thrown rows away, and every guess with them.
    recent_[key.guess(recent_.size())] = &found;
    return found;
  }
  return *recent;
}

MetricRow& Metrics::Block::find_or_insert(const Key& key) {
  const std::uint64_t hash = key.hash();
  const auto [first, last] = index_.equal_range(hash);
  for (auto at = first; at != last; ++at)
    if (key.is(*at->second)) return *at->second;
  if (rows_.size() >= kMaxHeaderRows && !key.tls && key.header_labels != no_header_labels_) {
    Key plain = key;
    plain.header_labels = no_header_labels_;
    return find_or_insert(plain);
  }
  if (rows_.size() >= kMaxRows && !key.is_coarse()) {
    Key coarse{.entry_point = key.entry_point,
               .router = {},
               .router_service = {},
               .service = key.entry_point.empty() ? key.service : std::string_view{},
               .method = key.method,
               .protocol = key.protocol,
               .header_labels = key.header_labels,
               .code = key.code / 100 * 100,
               .tls = key.tls};
    return find_or_insert(coarse);
  }
  return insert(key, hash);
}

MetricRow& Metrics::Block::insert(const Key& key, std::uint64_t hash) {
  if (gone_.load(std::memory_order_relaxed) > std::max(kGoneBeforeForgetting, rows_.size() / 2))
    forget_gone();
  auto row = std::make_unique<MetricRow>();
  row->entry_point = key.entry_point;
  row->router = key.router;
  row->router_service = key.router_service;
  row->service = key.service;
  row->method = key.method;
  row->protocol = key.protocol;
  row->header_labels = key.header_labels;
  row->version = key.version;
  row->scheme = key.scheme;
  row->server = key.server;
  row->status = key.status;
  row->server_code = key.server_code;
  row->code = key.code;
  row->tls = key.tls;
  if (!key.tls)
    for (Counts* counts : {&row->all, &row->in_service})
      counts->buckets = std::make_unique<std::atomic<std::uint64_t>[]>(limits_ns_.size() + 1);
  if (key.server_code != 0)
    row->server_buckets = std::make_unique<std::atomic<std::uint64_t>[]>(limits_ns_.size() + 1);
  MetricRow& inserted = *row;
  index_.emplace(hash, &inserted);
  const std::lock_guard lock(mutex_);
  rows_.push_back(std::move(row));
  return inserted;
}

// What such rows counted stays in the sums of their entry points: a counter must never go down.
void Metrics::Block::forget_gone() {
  const std::lock_guard lock(mutex_);
  gone_.store(0, std::memory_order_relaxed);
  recent_.fill(nullptr);
  std::vector<std::unique_ptr<MetricRow>> left;
  std::vector<std::unique_ptr<MetricRow>> gone;
  for (auto& row : rows_)
    if (!row->gone.load(std::memory_order_relaxed))
      left.push_back(std::move(row));
    else if (!row->entry_point.empty())
      gone.push_back(std::move(row));
  rows_ = std::move(left);
  index_.clear();
  const auto key_of = [](const MetricRow& row) {
    return Key{row.entry_point, row.router,        row.router_service, row.service,    row.method,
               row.protocol,    row.header_labels, row.code,           row.tls,        row.version,
               row.scheme,      row.server,        row.status,         row.server_code};
  };
  for (const auto& row : rows_) index_.emplace(key_of(*row).hash(), row.get());
  for (auto& row : gone) {
    row->router.clear();
    row->router_service.clear();
    row->service.clear();
    if (!row->tls) row->header_labels = no_header_labels_;
    row->server.clear();
    row->server_code = 0;
    row->server_buckets.reset();
    row->retries.store(0, std::memory_order_relaxed);
    row->gone.store(false, std::memory_order_relaxed);
    const Key key = key_of(*row);
    const std::uint64_t hash = key.hash();
    MetricRow* into = nullptr;
    const auto [first, last] = index_.equal_range(hash);
    for (auto at = first; at != last; ++at)
      if (key.is(*at->second)) into = at->second;
    if (!into) {
      index_.emplace(hash, row.get());
      rows_.push_back(std::move(row));
      continue;
    }
    add(into->all.requests, row->all.requests);
    if (row->tls) continue;
    add(into->all.request_bytes, row->all.request_bytes);
    add(into->all.response_bytes, row->all.response_bytes);
    add(into->all.duration_ns, row->all.duration_ns);
    for (std::size_t i = 0; i <= limits_ns_.size(); ++i) add(into->all.buckets[i], row->all.buckets[i]);
  }
}

Metrics::Metrics(MetricOptions options) : options_(std::move(options)) {}

Metrics::Block& Metrics::add_block() {
  const std::lock_guard lock(mutex_);
  return *blocks_.emplace_back(std::make_unique<Block>(options_));
}

}  // namespace fairlead::observe
