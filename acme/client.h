#pragma once

#include "acme/http_client.h"
#include "acme/jws.h"
#include "acme/messages.h"

#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::acme {

// Why an authority did not do what it was asked.
struct Trouble {
  enum class Kind : unsigned char {
    Refused,      // it said no, in `problem`
    Unreachable,  // no answer, or none that makes sense
    Stopped,
  };
  Kind kind = Kind::Unreachable;
  Problem problem;

  bool is(std::string_view type) const { return kind == Kind::Refused && problem.type == type; }
  // Not the fault of what was asked for: it is worth asking again.
  bool is_of_authority() const;
  // The order is refused, probably for one of its names.
  bool is_of_some_name() const;
  std::string text() const { return problem.text(); }
};

template <class T = void>
using Answered = std::expected<T, Trouble>;

std::unexpected<Trouble> trouble_of(const Error& error);

// Who signs a request.
struct Signer {
  SharedKey key;
  std::string account;  // URL; empty before registration
};

// The conversation with one authority (RFC 8555 §6): signs, keeps nonces, and asks again when a nonce was
// refused. Any thread; several at once.
class Client {
 public:
  Client(std::string directory_url, HttpOptions options);

  // Fetched once an hour.
  Answered<Directory> directory(std::stop_token stop);
  // Every status below 300 is an answer. `accept`: media type wanted.
  Answered<HttpResponse> post(const Signer& signer, const std::string& url, std::string_view payload,
                              std::stop_token stop, std::string_view accept = "application/json");
  // POST-as-GET.
  Answered<HttpResponse> fetch(const Signer& signer, const std::string& url, std::stop_token stop,
                               std::string_view accept = "application/json") {
    return post(signer, url, {}, std::move(stop), accept);
  }
  // Redirections are followed, as the first step of an authority that moved; what is signed is for one URL.
  Answered<HttpResponse> get(const std::string& url, std::stop_token stop);

  const std::string& directory_url() const { return directory_url_; }

 private:
  Answered<HttpResponse> call(HttpRequest request, std::stop_token stop);
  Answered<HttpResponse> call_once(const HttpRequest& request, std::stop_token stop);
  Answered<std::string> nonce(std::stop_token stop);

  const std::string directory_url_;
  const HttpOptions options_;
  std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<HttpClient>> idle_;
  std::vector<std::string> nonces_;
  std::optional<Directory> directory_;
  TimePoint directory_until_{};
};

// The URLs of Link fields with that relation (RFC 8288), relative ones left out.
std::vector<std::string> links(const HttpResponse& response, std::string_view relation);

}  // namespace fairlead::acme
