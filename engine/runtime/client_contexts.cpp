#include "engine/runtime/client_contexts.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace fairlead::runtime {
namespace {

// `key`, changed with every change of one of the files; watches them.
std::uint64_t with_files(std::uint64_t key, const std::vector<std::string>& root_cas,
                         const std::vector<model::KeyPair>& certificates, tls::Files& files) {
  const auto add = [&](const std::string& file) {
    key = key * 1099511628211ULL ^ files.version(file);  // the prime of FNV-1a
  };
  for (const std::string& file : root_cas) add(file);
  for (const model::KeyPair& pair : certificates) {
    add(pair.cert_file);
    add(pair.key_file);
  }
  return key;
}

}  // namespace

template <class Options>
ClientContexts::Found ClientContexts::find_of(std::uint64_t key, const Options& options) {
  LastGood& last = last_good_[key];
  last.wanted = true;
  Found found;
  found.key = key ^ with_files(fnv1a("tls"), options.root_cas, options.certificates, files_);
  auto& kept = made_[found.key];
  found.context = kept.lock();
  if (!found.context) {
    auto made = tls::ClientContext::make(options, files_);
    if (!made) {
      found.problem = fmt::format("{}: {}", made.error().path, made.error().what);
      found.key = last.key;
      found.context = last.context;
      return found;
    }
    kept = found.context = std::move(*made);
  }
  last.key = found.key;
  last.context = found.context;
  return found;
}

template ClientContexts::Found ClientContexts::find_of(std::uint64_t, const model::ServersTransport&);
template ClientContexts::Found ClientContexts::find_of(std::uint64_t, const model::TcpClientTls&);

void ClientContexts::sweep() {
  std::erase_if(last_good_, [](const auto& entry) { return !entry.second.wanted; });
  for (auto& [key, last] : last_good_) last.wanted = false;
  std::erase_if(made_, [](const auto& entry) { return entry.second.expired(); });
}

}  // namespace fairlead::runtime
