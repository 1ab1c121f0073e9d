#pragma once

#include "engine/routing/rule_set.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace fairlead::routing {

// What is known of a connection before it is routed. Views are only used during the call.
struct Connection {
  std::string_view server_name;            // SNI as sent; empty: none
  std::span<const std::string_view> alpn;  // offered protocols
  ClientAddress client;
};

// Where a connection goes.
struct TcpDecision {
  enum class Kind : std::uint8_t {
    Http,            // plain HTTP server
    Tcp,             // a TCP route that is not TLS; `index` of add_plain()
    Https,           // HTTPS, by the name of a router; `index` of add_https_host()
    HttpsCatchAll,   // HTTPS, a router without Host(); `index` of set_https_catch_all()
    TlsTcp,          // a TCP route with TLS, terminated or passed through; `index` of add_tls()
    HttpsUnmatched,  // HTTPS with the default certificate, where everything is answered 404
  };

  Kind kind = Kind::Http;
  std::uint32_t index = 0;

  bool operator==(const TcpDecision&) const = default;
};

// Decides per connection of one TCP entry point (install reference §9.5, by row). It only matches: reading
// the ClientHello, PostgreSQL's STARTTLS (row 2) and challenges (row 4) are the entry point's. Immutable.
class TcpRouter {
 public:
  class Builder {
   public:
    void add_plain(const Rule& rule, const Standing& standing, std::uint32_t index);
    void add_tls(const Rule& rule, const Standing& standing, std::uint32_t index);
    // A name of an HTTPS router, as in Rule::Hosts. Of two additions of one name the first counts; `*` is the
    // catch-all. `index` is the caller's, for example the number of the TLS options.
    void add_https_host(std::string_view host, std::uint32_t index);
    void set_https_catch_all(std::uint32_t index);
    TcpRouter build() &&;

   private:
    RuleSet plain_;
    RuleSet tls_;
    RuleSet https_;
    std::vector<std::uint32_t> catch_all_tls_;
    std::optional<std::uint32_t> https_catch_all_;
    std::uint64_t https_hosts_ = 0;
    bool has_https_ = false;
  };

  // Without routes: everything is HTTP, or unmatched HTTPS.
  TcpRouter() = default;

  // Row 1: the route that takes the connection before any byte is read, for protocols in which the server
  // speaks first. Only when nothing on this entry point is TLS.
  std::optional<std::uint32_t> before_reading(const ClientAddress& client) const;
  // Row 3: the first bytes are not a TLS handshake.
  TcpDecision plain(const ClientAddress& client) const;
  // Rows 5 to 9: a ClientHello has been read.
  TcpDecision tls(const Connection& connection) const;
  // Row 2: the TLS route for a client that came by PostgreSQL's STARTTLS, which is never HTTPS.
  std::optional<std::uint32_t> starttls(const Connection& connection) const;
  // The rows of HTTPS alone, for HTTP/3, where no TCP route exists.
  TcpDecision https(std::string_view server_name) const;

  bool has_tls_routes() const { return !tls_.empty() || has_https_; }
  // Why no (other) TCP route took the connection.
  Trace trace_tls(const Connection& connection, std::size_t max_lines = 1000) const;
  Trace trace_plain(const ClientAddress& client, std::size_t max_lines = 1000) const;

 private:
  RuleSet plain_;
  RuleSet tls_;
  RuleSet https_;  // one Host rule per name: the index of names and wildcards is the same
  std::vector<std::uint32_t> catch_all_tls_;  // indices of the routes that are exactly HostSNI(`*`), sorted
  std::optional<std::uint32_t> https_catch_all_;
  bool has_https_ = false;
};

}  // namespace fairlead::routing
