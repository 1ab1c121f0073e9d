#pragma once

#include "engine/observe/facts.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead::observe {

struct Counts {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> request_bytes = 0;
  std::atomic<std::uint64_t> response_bytes = 0;
  std::atomic<std::uint64_t> duration_ns = 0;
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets;  // not cumulative; the last one is "+Inf"
};

// What one kind of request counted: entry point, router, service, code, method, protocol. One row serves the
// families of all three: entry points, routers and services are summed when somebody asks. Its worker is the
// only writer, so a step is a plain load and store. A service whose answer is not the client's, as it was
// asked again, or another in its place, has a row of its own without entry point and router.
struct MetricRow {
  // Labels. Of TLS rows `method` is the version and `protocol` the cipher suite, `code` is 0.
  std::string entry_point;
  std::string router;
  std::string router_service;  // what the router names
  std::string service;         // what served; empty when nothing did, or it has its own row
  std::string method;
  std::string protocol;
  std::string header_labels;  // the values of metrics.prometheus.headerLabels, each ended by '\0'
  // Of metrics by the semantic conventions; empty without MetricOptions::semantic.
  std::string version;  // "HTTP/1.1"
  std::string scheme;
  std::string server;   // host:port of the one that answered
  int status = 0;       // of HTTP, where `code` is a gRPC call's
  int server_code = 0;  // what the server answered; 0: nothing
  int code = 0;
  bool tls = false;

  Counts all;         // from the head to the last byte, middlewares included
  Counts in_service;  // of it, by the service
  std::atomic<std::uint64_t> retries = 0;
  std::atomic<std::uint64_t> server_ns = 0;                      // until servers answered
  std::unique_ptr<std::atomic<std::uint64_t>[]> server_buckets;  // the same; null without server_code
  std::atomic<bool> gone = false;                                // its router or service exists no more
};

struct MetricOptions {
  std::vector<double> buckets = {0.1, 0.3, 1.2, 5.0};  // s, ascending
  std::vector<std::string> header_names;               // of headerLabels, in the order of the labels
  bool internals = false;
  bool semantic = false;  // count by protocol, scheme and server as well

  bool operator==(const MetricOptions&) const = default;
};

// The counters of the program. Each worker counts into a block of its own; collect() sums nothing itself but
// shows every row of every block.
class Metrics {
 public:
  explicit Metrics(MetricOptions options);

  // Rows per worker. A client can make up codes of its backend; what comes after is counted for its entry
  // point only. Header values cost no router its rows: beyond this number they are not told apart.
  static constexpr std::size_t kMaxRows = 65536;
  static constexpr std::size_t kMaxHeaderRows = kMaxRows / 2;

  // One worker's counters.
  class Block {
   public:
    explicit Block(const MetricOptions& options);
    // The worker's thread.
    void count(const Facts& facts);
    // Of a request that no client sent: what the services came to that were asked.
    void count_services(const Facts& facts);

   private:
    friend class Metrics;
    struct Key;
    std::string header_labels(const Facts& facts) const;
    void count_whole(const Key& key, const Record& record);
    void count_service(Key key, const ServicePass& pass, const Record& record);
    void count_in(MetricRow& row, const ServicePass& pass);
    void add_to(Counts& counts, std::uint64_t request_bytes, std::uint64_t response_bytes, Duration duration);
    MetricRow& row(const Key& key);
    MetricRow& find_or_insert(const Key& key);
    MetricRow& insert(const Key& key, std::uint64_t hash);
    void forget_gone();
    std::size_t bucket(std::uint64_t nanoseconds) const;

    const MetricOptions& options_;
    const std::string no_header_labels_;  // of a request without any of the headers
    std::vector<std::uint64_t> limits_ns_;
    std::array<MetricRow*, 1024> recent_{};
    std::unordered_multimap<std::uint64_t, MetricRow*> index_;
    std::mutex mutex_;  // rows_ changing, against collect()
    std::vector<std::unique_ptr<MetricRow>> rows_;
    std::atomic<std::size_t> gone_ = 0;
  };

  // A block for one more worker; it lives as long as this.
  Block& add_block();
  const MetricOptions& options() const { return options_; }

  // Calls visit(row) for all rows of all workers. visit returns whether what the row counts still exists;
  // rows of which it does not are summed up under their entry point when there are many.
  template <class F>
  void collect(F visit) {
    const std::lock_guard blocks(mutex_);
    for (const auto& block : blocks_) {
      const std::lock_guard lock(block->mutex_);
      std::size_t gone = 0;
      for (const auto& row : block->rows_) {
        const bool exists = visit(static_cast<const MetricRow&>(*row));
        row->gone.store(!exists, std::memory_order_relaxed);
        gone += exists ? 0 : 1;
      }
      block->gone_.store(gone, std::memory_order_relaxed);
    }
  }

 private:
  const MetricOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> blocks_;
};

// Label values, as Traefik has them.
std::string_view metric_method(std::string_view method);
std::string_view metric_protocol(const Facts& facts);
int metric_code(const Facts& facts, std::string_view protocol);

}  // namespace fairlead::observe
