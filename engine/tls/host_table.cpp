#include "engine/tls/host_table.h"

#include "engine/tls/context.h"

#include <array>
#include <cstring>

namespace fairlead::tls {
namespace {

constexpr std::size_t kMaxName = 255;  // RFC 1035 §2.3.4

}  // namespace

HostTable::HostTable(std::vector<std::pair<std::string, Choice>> hosts, Choice otherwise)
    : otherwise_(std::move(otherwise)) {
  for (auto& [host, choice] : hosts) {
    // A name with the default options is in the table too: a wildcard with others must not catch it.
    if (choice.key != otherwise_.key || choice.key == 0) uniform_ = false;
    wildcards_ |= host.starts_with("*.");
    hosts_.try_emplace(std::move(host), std::move(choice));
  }
}

const HostTable::Choice& HostTable::find(std::string_view host) const {
  if (uniform_) return otherwise_;
  if (const auto exact = hosts_.find(host); exact != hosts_.end()) return exact->second;
  const auto dot = host.find('.');
  if (!wildcards_ || dot == std::string_view::npos || dot == 0 || host.size() - dot >= kMaxName)
    return otherwise_;
  // "a.example.com" → "*.example.com", without memory of its own: this runs for every request.
  std::array<char, kMaxName + 1> wildcard;
  wildcard[0] = '*';
  std::memcpy(wildcard.data() + 1, host.data() + dot, host.size() - dot);
  const auto found = hosts_.find(std::string_view(wildcard.data(), host.size() - dot + 1));
  return found == hosts_.end() ? otherwise_ : found->second;
}

bool HostTable::admits(std::string_view host, const ServerContext* options) const {
  const Choice& choice = find(host);
  if (!options || !choice.context) return false;
  if (choice.key == options->key()) return true;
  return choice.context->name() == options->name() && choice.context->client_rule() == ClientRule::Ignores;
}

}  // namespace fairlead::tls
