// PROXY header: never reads beyond its input, more bytes never turn a decision back, and what is read is what
// would be written.
#include "engine/net/proxy_protocol.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace fairlead;

void demand(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const net::ProxyResult whole = net::parse_proxy_header(input);
  demand((whole.status == net::ProxyStatus::Malformed) == !whole.why.empty());
  for (std::size_t cut = 0; cut < size && cut < 300; ++cut) {
    // A copy of its own, so that a read beyond the cut is seen.
    const std::string begun = input.substr(0, cut);
    const net::ProxyResult part = net::parse_proxy_header(begun);
    if (part.status == net::ProxyStatus::NeedMore) continue;
    demand(part.status == whole.status && part.size == whole.size);
  }
  if (size >= net::kMaxProxyHeaderBytes) demand(whole.status != net::ProxyStatus::NeedMore);
  if (whole.status != net::ProxyStatus::Parsed) return 0;
  demand(whole.size > 0 && whole.size <= size && whole.size <= net::kMaxProxyHeaderBytes);
  if (!whole.ends) return 0;
  for (const int version : {1, 2}) {
    const net::ProxyResult again =
        net::parse_proxy_header(net::proxy_header(version, whole.ends->source, whole.ends->destination));
    demand(again.ends && again.ends->source == whole.ends->source &&
           again.ends->destination == whole.ends->destination);
  }
  return 0;
}
