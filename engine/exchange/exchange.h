#pragma once

#include "engine/base/arena.h"
#include "engine/event/loop.h"
#include "engine/exchange/response.h"
#include "engine/http/body.h"
#include "engine/http/head.h"
#include "engine/http/stream.h"
#include "engine/observe/record.h"
#include "engine/observe/trace.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::tls {
class ServerContext;
}

namespace fairlead::upstream {
class Pools;
}

namespace fairlead::exchange {

struct EntryPoint;
class RecordSink;

// What TLS told about the client; absent on plain connections.
struct TlsFacts {
  std::string_view version;  // a literal: "1.3", as the access log prints it
  std::string_view cipher;   // a literal
  std::string server_name;   // SNI
  std::string client_subject;
  std::string client_chain_pem;                       // client certificates, PEM, leaf first; empty: none
  std::shared_ptr<const tls::ServerContext> options;  // what the connection was set up with
};

// A connection of a client, for logins to servers that belong to it alone (NTLM).
struct ClientBinding {
  std::uint64_t id = 0;     // of the connection, on its worker; never 0
  bool has_logins = false;  // connections to servers are bound to it
};

// One request and its response, as middlewares and services see it. Destroying it cancels everything that
// still runs for it. Belongs to its worker.
//
// Everything that is a view lives in arena(), in the snapshot that the exchange pins, or is a literal.
class Exchange {
 public:
  Exchange(event::Loop& loop, upstream::Pools& pools, Scope& background)
      : request(arena_),
        sent_fields(arena_),
        origin_fields(arena_),
        loop(loop),
        pools(pools),
        background(background) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Arena& arena() { return arena_; }
  bool is_tls() const { return tls != nullptr; }
  // Whether the proxying step adds the peer to X-Forwarded-For.
  bool appends_forwarded_for() const { return !null_forwarded_for && !keep_forwarded_for; }

 private:
  Arena arena_;

 public:
  http::RequestHead request;
  http::BodyPtr body;  // null: none. Taken (moved) by whoever reads it
  observe::Record record;
  std::unique_ptr<observe::Trace> trace;  // null: not traced
  // For the access log: the head that the client got, and the server's own when the log asks for it.
  http::Fields sent_fields;
  http::Fields origin_fields;
  bool keep_origin_fields = false;

  net::Address client;                      // the peer, after the PROXY protocol
  net::Address local;                       // our end of its connection, after the PROXY protocol
  std::string_view client_ip;               // its text; lives as long as the connection
  const TlsFacts* tls = nullptr;            // lives as long as the connection
  ClientBinding* binding = nullptr;         // of the connection; null in the background
  const EntryPoint* entry_point = nullptr;  // in the pinned snapshot

  const ReasonsPolicy* reasons = nullptr;  // of the entry point, in the pinned snapshot; null: the default

  std::string_view router_name;     // "web@docker"
  bool null_forwarded_for = false;  // a headers middleware emptied X-Forwarded-For: do not append
  bool keep_forwarded_for = false;  // forwardedHeaders.notAppendXForwardedFor

  bool may_hold = true;  // false while another service can take it: see service/children.h

  // Set by the proxying step; decide about retries.
  bool reached_proxy = false;  // a server was chosen
  bool sent_upstream = false;  // a byte of the request was written to a server

  // Nobody waits for the answer any more. Else a response that is dropped unread made room for another one.
  bool client_left = false;

  http::ServerStream* stream = nullptr;  // for 1xx heads from the server; null in the background
  RecordSink* sink = nullptr;            // hears of what the worker did; lives as long. Null in unit tests

  event::Loop& loop;
  upstream::Pools& pools;
  Scope& background;  // mirrors and the like: outlives the exchange

  // Ready for another request; storage is kept.
  void clear();
};

}  // namespace fairlead::exchange
