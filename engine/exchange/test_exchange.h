#pragma once

#include "engine/exchange/chain.h"
#include "engine/exchange/exchange.h"
#include "engine/exchange/middleware.h"
#include "engine/exchange/service.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// For unit tests only: an exchange without a network.
namespace fairlead::test {

// What an Exchange refers to; a base, so that it lives before and after it.
struct ExchangeParts {
  event::Loop own_loop;
  Scope own_scope;
  alignas(16) char no_pools[16] = {};  // never looked at: upstream::Pools is a name only on this floor
};

// `auto x = test::get("/cart?id=7"); x.header("Accept", "text/html");`
class TestExchange : private ExchangeParts, public exchange::Exchange {
 public:
  TestExchange(std::string_view method, std::string_view target, std::string_view authority = "example.com")
      : ExchangeParts(), Exchange(own_loop, reinterpret_cast<upstream::Pools&>(no_pools), own_scope) {
    request.method = arena().copy(method);
    request.target = arena().copy(target);
    request.scheme = "http";
    request.authority = arena().copy(authority);
    request.host = std::string(authority.substr(0, authority.rfind(':')));
    const std::size_t mark = target.find('?');
    request.path = std::string(target.substr(0, mark));
    request.has_query = mark != std::string_view::npos;
    if (request.has_query) request.query = std::string(target.substr(mark + 1));
    client.port = 40000;
    from("192.0.2.7");
  }

  TestExchange& header(std::string_view name, std::string_view value) {
    request.fields.add(name, value);
    return *this;
  }
  TestExchange& from(std::string_view ip) {
    client.ip = *net::Ip::parse(ip);
    client_ip = arena().copy(ip);
    return *this;
  }
  TestExchange& over_tls() {
    tls = &facts;
    request.scheme = "https";
    return *this;
  }
  TestExchange& with_body(std::string_view text) {
    body = http::text_body(arena().copy(text));
    request.content_length = text.size();
    return *this;
  }

  exchange::TlsFacts facts = [] {
    exchange::TlsFacts made;
    made.version = "1.3";
    made.cipher = "TLS_AES_128_GCM_SHA256";
    made.server_name = "example.com";
    return made;
  }();
};

inline TestExchange get(std::string_view target) { return TestExchange("GET", target); }
inline TestExchange request(std::string_view method, std::string_view target) {
  return TestExchange(method, target);
}

// Stands for everything behind a middleware: counts its calls and answers what `answer` makes, or 200 "ok".
class StubService final : public exchange::Service {
 public:
  using Answer = std::function<exchange::Response(exchange::Exchange&)>;
  StubService() = default;
  explicit StubService(Answer answer) : answer_(std::move(answer)) {}

  Task<exchange::Response> serve(exchange::Exchange& x) const override {
    ++calls;
    if (answer_) co_return answer_(x);
    exchange::Response response(x.arena());
    response.body = http::text_body("ok");
    response.head.content_length = 2;
    co_return response;
  }
  mutable int calls = 0;

 private:
  Answer answer_;
};

// Sends `x` through the middleware to `service`. Only for what ends without waiting.
inline exchange::Response run(const exchange::Middleware& middleware, exchange::Exchange& x,
                              const exchange::Service& service) {
  const exchange::Chain chain(
      {std::shared_ptr<const exchange::Middleware>(std::shared_ptr<void>(), &middleware)},
      std::shared_ptr<const exchange::Service>(std::shared_ptr<void>(), &service));
  Task<exchange::Response> task = chain.serve(x);
  task.start(nullptr);
  FL_ASSERT(task.done(), "the test would have to turn the loop");
  return task.take();
}
inline exchange::Response run(const exchange::Middleware& middleware, exchange::Exchange& x) {
  return run(middleware, x, StubService());
}

// All bytes of a body that never waits; "(broken)" at the end when it ended with an error.
inline std::string text_of(const http::BodyPtr& body) {
  std::string out;
  while (body) {
    Task<Result<http::Chunk>> task = body->read(4096);
    if (!task.done()) task.start(nullptr);
    FL_ASSERT(task.done(), "the body waits");
    const Result<http::Chunk> chunk = task.take();
    if (!chunk) return out + "(broken)";
    out += chunk->bytes;
    if (chunk->last) break;
  }
  return out;
}

}  // namespace fairlead::test
