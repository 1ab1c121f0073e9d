#pragma once

#include "engine/base/strings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace fairlead::service {

// fnv1a() of four texts at once: a single chain of multiplications leaves the processor waiting.
inline std::array<std::uint64_t, 4> hash_four(const std::array<std::string_view, 4>& texts,
                                              std::uint64_t seed) {
  std::array<std::uint64_t, 4> out{seed, seed, seed, seed};
  const std::size_t together = std::min({texts[0].size(), texts[1].size(), texts[2].size(), texts[3].size()});
  for (std::size_t i = 0; i < together; ++i)
    for (std::size_t of = 0; of < 4; ++of)
      out[of] = (out[of] ^ static_cast<unsigned char>(texts[of].data()[i])) * 1099511628211ULL;
  for (std::size_t of = 0; of < 4; ++of) out[of] = fnv1a(texts[of].substr(together), out[of]);
  return out;
}

// Highest random weight: the target whose hash together with the client's address scores best by its weight
// wins, so that only its own clients move when one leaves.
class RendezvousDraw {
 public:
  void offer(int index, std::uint64_t hash, int weight) {
    const double share = (static_cast<double>(hash) + 0.5) / 18446744073709551616.0;  // in (0, 1)
    // -ln(s) ≥ 1 - s: what cannot win needs no logarithm. The margin is for rounding.
    if (weight < best_score_ * (1 - share) * (1 - 1e-9)) return;
    const double score = weight / -std::log(share);
    if (score <= best_score_) return;
    best_score_ = score;
    best_ = index;
  }
  // -1 when nothing was offered.
  int best() const { return best_; }

 private:
  int best_ = -1;
  double best_score_ = 0;
};

}  // namespace fairlead::service
