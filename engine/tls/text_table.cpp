#include "engine/tls/text_table.h"

#include "engine/base/strings.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace fairlead::tls {
namespace {

// What is in use somewhere, by its hash.
template <class T>
class Kept {
 public:
  // One that `is_it` knows, else what `make` makes.
  template <class IsIt, class Make>
  std::shared_ptr<const T> find_or(std::uint64_t hash, IsIt is_it, Make make) {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = all_.equal_range(hash);
    for (auto at = first; at != last; ++at)
      if (auto known = at->second.lock(); known && is_it(*known)) return known;
    if (all_.size() >= sweep_at_) {
      std::erase_if(all_, [](const auto& entry) { return entry.second.expired(); });
      sweep_at_ = std::max(kFewest, all_.size() * 2);
    }
    std::shared_ptr<const T> made = make();
    all_.emplace(hash, made);
    return made;
  }

 private:
  static constexpr std::size_t kFewest = 1024;

  std::mutex mutex_;
  std::unordered_multimap<std::uint64_t, std::weak_ptr<const T>> all_;
  std::size_t sweep_at_ = kFewest;
};

// Behind the line that ends the first certificate; the end of the text when there is none.
std::size_t end_of_leaf(std::string_view chain) {
  constexpr std::string_view kEnd = "-----END ";
  for (auto at = chain.find(kEnd); at != std::string_view::npos; at = chain.find(kEnd, at + 1)) {
    const auto line_end = std::min(chain.find('\n', at), chain.size());
    // "CERTIFICATE", and the older "X509 CERTIFICATE" and "TRUSTED CERTIFICATE".
    if (trim(chain.substr(at, line_end - at)).ends_with("CERTIFICATE-----"))
      return std::min(line_end + 1, chain.size());
  }
  return chain.size();
}

std::shared_ptr<const std::string> shared_issuers(std::string_view issuers) {
  static Kept<std::string> kept;
  return kept.find_or(
      fnv1a(issuers), [&](const std::string& known) { return known == issuers; },
      [&] { return std::make_shared<const std::string>(issuers); });
}

}  // namespace

CertificateTextPtr CertificateText::of(std::string_view chain, std::string_view key) {
  static Kept<CertificateText> kept;
  const std::size_t end = end_of_leaf(chain);
  const std::string_view leaf = chain.substr(0, end);
  const std::string_view issuers = chain.substr(end);
  return kept.find_or(
      fnv1a(leaf) ^ fnv1a(key),
      [&](const CertificateText& known) {
        return known.leaf_ == leaf && known.key_ == key && *known.issuers_ == issuers;
      },
      [&] {
        std::shared_ptr<CertificateText> made(new CertificateText);
        made->leaf_ = leaf;
        made->issuers_ = shared_issuers(issuers);
        made->key_ = key;
        return made;
      });
}

}  // namespace fairlead::tls
