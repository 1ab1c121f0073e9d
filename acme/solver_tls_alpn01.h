#pragma once

#include "acme/solver.h"
#include "engine/tls/challenge_table.h"

#include <chrono>
#include <string>

namespace fairlead::acme {

// TLS-ALPN-01 (RFC 8737): the answers stand in the table that handshakes read.
class TlsAlpn01Solver final : public Solver {
 public:
  // `delay` before the authority is told.
  TlsAlpn01Solver(tls::Challenges& table, std::chrono::nanoseconds delay) : table_(table), delay_(delay) {}

  ChallengeType type() const override { return ChallengeType::TlsAlpn01; }
  Result<> present(const Authorization& authorization, const std::string& key_authorization,
                   std::stop_token stop) override;
  Result<> wait_until_visible(const Authorization&, const std::string&, std::stop_token stop) override;
  Result<> clean_up(const Authorization& authorization, const std::string& key_authorization) override;

 private:
  tls::Challenges& table_;
  const std::chrono::nanoseconds delay_;
};

// The server name that stands for an address: its reverse name (RFC 8738 §6, RFC 1034, RFC 3596).
std::string reverse_name(const std::string& address);

}  // namespace fairlead::acme
