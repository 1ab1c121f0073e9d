#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"
#include "acme/dns/tsig.h"

#include <cstdint>
#include <optional>
#include <string>

namespace fairlead::acme::dns {

// Dynamic updates (RFC 2136), signed when a key is given.
struct UpdateOptions {
  std::string server;  // "192.0.2.1:53"
  std::optional<TsigKey> key;
  std::uint32_t ttl = 120;  // s
  Duration timeout = std::chrono::seconds(10);
};

class DynamicUpdate final : public Provider {
 public:
  explicit DynamicUpdate(UpdateOptions options) : options_(std::move(options)) {}
  Result<> present(const Record& record, std::stop_token stop) override { return update(record, true, stop); }
  Result<> clean_up(const Record& record, std::stop_token stop) override {
    return update(record, false, stop);
  }

 private:
  Result<> update(const Record& record, bool adds, std::stop_token stop) const;

  const UpdateOptions options_;
};

// An UPDATE message that adds one TXT record to a zone, or takes that one away (RFC 2136 §2.5.1, §2.5.4).
Result<std::string> make_update(std::uint16_t id, const std::string& zone, const std::string& name,
                                const std::string& value, std::uint32_t ttl, bool adds);

// RFC2136_NAMESERVER, _TSIG_KEY, _TSIG_SECRET, _TSIG_ALGORITHM or _TSIG_FILE, _TTL, _DNS_TIMEOUT, …
Configured<MadeProvider> make_rfc2136(Settings settings);

}  // namespace fairlead::acme::dns
