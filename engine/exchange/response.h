#pragma once

#include "engine/base/result.h"
#include "engine/http/body.h"
#include "engine/http/head.h"
#include "engine/net/address.h"

#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::exchange {

class Exchange;

// The server's half of a tunnel, after a 101.
class Upgraded {
 public:
  // The client's half: what it sends from now on goes to the server.
  virtual void begin_tunnel(http::BodyPtr from_client) = 0;

 protected:
  ~Upgraded() = default;
};

// A failure is a response with a cause: every middleware and the access log see it as a response.
struct Response {
  http::ResponseHead head;
  http::BodyPtr body;            // null: none
  std::optional<Error> cause;    // set on own answers that stand for a failure
  bool flush_each = false;       // hand every chunk to the client at once (event streams, unknown length)
  bool own = false;              // produced here, not by a server
  Upgraded* upgraded = nullptr;  // of a 101: part of `body`

  explicit Response(Arena& arena) : head(arena) {}

  // True when the request can be sent again: the failure is one that no server can have acted upon.
  bool retryable() const { return cause && cause->retryable; }
};

// How much our own answers tell about what went wrong (reasons.detail).
enum class ReasonDetail : unsigned char {
  Off,    // nothing
  Short,  // the class of the reason: "starting"
  Full,   // for trusted clients also names and addresses; others see the class
};
struct ReasonsPolicy {
  ReasonDetail detail = ReasonDetail::Short;
  std::vector<net::Cidr> trusted;  // forwardedHeaders.trustedIPs; loopback is always trusted
};

// Answers of our own: short text for text clients, a small page for browsers, RFC 9457 for those that accept
// JSON; each carries X-Request-Id. `text` defaults to the status text; what is longer or shows in a page is
// escaped here. With 503 and a reason in the record that passes by itself: Retry-After.
Response answer(Exchange& x, int status, std::string_view text = {});
// The same for a failure; the status is the error's.
Response failure(Exchange& x, Error error);
// The type of short answers.
inline constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
// Exactly this body, for endpoints of our own. `text` must live as long as the exchange.
Response plain(Exchange& x, int status, std::string_view content_type, std::string_view text);
// 30x to `location`, body is the status text.
Response redirect(Exchange& x, int status, std::string_view location);

}  // namespace fairlead::exchange
