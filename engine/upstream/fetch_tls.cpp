#include "engine/upstream/fetch_tls.h"

#include "engine/tls/client_context.h"

namespace fairlead::upstream {

class FetchTls {
 public:
  std::shared_ptr<const tls::ClientContext> context;
  std::uint64_t key = 0;
};

Configured<std::shared_ptr<const FetchTls>> make_fetch_tls(const model::ClientTls& options) {
  model::ServersTransport transport;
  if (!options.ca.empty()) transport.root_cas.push_back(options.ca);
  if (options.cert.empty() != options.key.empty())
    return misconfigured("tls", "`cert` and `key` go together");
  if (!options.cert.empty()) transport.certificates.push_back({options.cert, options.key});
  transport.insecure_skip_verify = options.insecure_skip_verify;
  tls::Files files;
  auto context = tls::ClientContext::make(transport, files);
  if (!context) return misconfigured("tls", context.error().what);
  auto made = std::make_shared<FetchTls>();
  made->context = std::move(*context);
  // Connections are shared by what verifies them: every maker has its own, as its files were read then.
  made->key = reinterpret_cast<std::uintptr_t>(made->context.get());
  return made;
}

TransportOptions fetch_transport(const FetchTls* tls) {
  TransportOptions options{.name = "fetch", .key = 0x66657463};
  if (tls) {
    options.key ^= tls->key;
    options.tls = tls->context;
  }
  return options;
}

}  // namespace fairlead::upstream
