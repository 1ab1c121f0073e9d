#pragma once

#include "acme/solver.h"
#include "acme/store.h"
#include "engine/model/static.h"
#include "engine/tls/challenge_table.h"

#include <chrono>
#include <string>

namespace fairlead::acme {

// HTTP-01 (RFC 8555 §8.3): the answers stand in the table that acme-http@internal reads, and, while other
// instances share the store, there too: the authority may ask any of them.
class Http01Solver final : public Solver {
 public:
  // `delay` before the authority is told; `resolver` owns the answers in the store.
  Http01Solver(tls::Challenges& table, std::chrono::nanoseconds delay, Store& store, std::string resolver)
      : table_(table), delay_(delay), store_(store), resolver_(std::move(resolver)) {}

  ChallengeType type() const override { return ChallengeType::Http01; }
  Result<> present(const Authorization& authorization, const std::string& key_authorization,
                   std::stop_token stop) override;
  Result<> wait_until_visible(const Authorization&, const std::string&, std::stop_token stop) override;
  Result<> clean_up(const Authorization& authorization, const std::string& key_authorization) override;

  // How often an instance looks into its stores for what others wrote, their answers among it.
  static constexpr std::chrono::milliseconds kLookForOthers{250};

 private:
  tls::Challenges& table_;
  const std::chrono::nanoseconds delay_;
  Store& store_;
  const std::string resolver_;
};

// Why no entry point of the installation can answer the HTTP-01 challenges of a resolver; empty: one can, or
// there is no httpChallenge.
std::string http01_obstacle(const model::Acme& options, const model::Static& install);

}  // namespace fairlead::acme
