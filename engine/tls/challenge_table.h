#pragma once

#include "engine/base/strings.h"
#include "engine/tls/certificate.h"
#include "engine/tls/published.h"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fairlead::tls {

// Answers to an authority's questions while orders run. Any thread; every worker sees a change at once.
class Challenges {
 public:
  // tls-alpn-01 (RFC 8737): the certificate for `name` carries the SHA-256 of the key authorization. It is
  // asked for by `server_name`, which for an address is its reverse name (RFC 8738 §6).
  void answer_tls_alpn(const std::string& server_name, const std::string& name,
                       std::string_view key_authorization_digest) {
    CertificatePtr made = Certificate::self_signed("ACME challenge", {name}, key_authorization_digest);
    change([&](Answers& answers) { answers.certificates[lower(server_name)] = std::move(made); });
  }
  void forget_tls_alpn(const std::string& server_name) {
    change([&](Answers& answers) { answers.certificates.erase(lower(server_name)); });
  }
  CertificatePtr tls_alpn(std::string_view name) const {
    const auto answers = answers_.get();
    const auto found = answers->certificates.find(std::string(name));
    return found == answers->certificates.end() ? nullptr : found->second;
  }

  // http-01 (RFC 8555 §8.3): GET /.well-known/acme-challenge/<token>.
  void answer_http(const std::string& token, std::string key_authorization) {
    change([&](Answers& answers) { answers.tokens[token] = std::move(key_authorization); });
  }
  void forget_http(const std::string& token) {
    change([&](Answers& answers) { answers.tokens.erase(token); });
  }
  // Empty: no such token.
  std::string http(std::string_view token) const {
    const auto answers = answers_.get();
    const auto found = answers->tokens.find(std::string(token));
    return found == answers->tokens.end() ? std::string() : found->second;
  }

 private:
  struct Answers {
    std::unordered_map<std::string, CertificatePtr> certificates;
    std::unordered_map<std::string, std::string> tokens;
  };

  template <class Change>
  void change(Change apply) {
    const std::lock_guard lock(mutex_);
    auto next = std::make_shared<Answers>(*answers_.get());
    apply(*next);
    answers_.set(std::move(next));
  }

  std::mutex mutex_;  // one change at a time
  Published<Answers> answers_{std::make_shared<const Answers>()};
};

}  // namespace fairlead::tls
