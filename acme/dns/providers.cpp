#include "acme/dns/providers.h"

#include "acme/dns/acme_dns.h"
#include "acme/dns/cloudflare.h"
#include "acme/dns/desec.h"
#include "acme/dns/digitalocean.h"
#include "acme/dns/duckdns.h"
#include "acme/dns/exec.h"
#include "acme/dns/gandi.h"
#include "acme/dns/hetzner.h"
#include "acme/dns/httpreq.h"
#include "acme/dns/ovh.h"
#include "acme/dns/rfc2136.h"
#include "acme/dns/route53.h"
#include "acme/dns/settings.h"
#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::acme::dns {
namespace {

struct Given {
  Settings settings;
  const Environment& environment;
  ZoneFinder find;
  bool follows_aliases;
};

struct Row {
  std::string_view code;
  const char* prefix;  // of the variables for times
  Configured<MadeProvider> (*make)(Given given);
};

// As lego and Traefik call them.
constexpr Row kRows[] = {
    {"acme-dns", "ACME_DNS_",
     [](Given g) { return make_acme_dns(std::move(g.settings), g.follows_aliases); }},
    {"acmedns", "ACME_DNS_", [](Given g) { return make_acme_dns(std::move(g.settings), g.follows_aliases); }},
    {"cloudflare", "CLOUDFLARE_",
     [](Given g) { return make_cloudflare(std::move(g.settings), std::move(g.find)); }},
    {"desec", "DESEC_", [](Given g) { return make_desec(std::move(g.settings)); }},
    {"digitalocean", "DO_",
     [](Given g) { return make_digitalocean(std::move(g.settings), std::move(g.find)); }},
    {"duckdns", "DUCKDNS_", [](Given g) { return make_duckdns(std::move(g.settings)); }},
    {"exec", "EXEC_", [](Given g) { return make_exec(std::move(g.settings)); }},
    {"gandiv5", "GANDIV5_", [](Given g) { return make_gandi(std::move(g.settings), std::move(g.find)); }},
    {"hetzner", "HETZNER_", [](Given g) { return make_hetzner(std::move(g.settings), std::move(g.find)); }},
    {"httpreq", "HTTPREQ_", [](Given g) { return make_httpreq(std::move(g.settings)); }},
    {"ovh", "OVH_", [](Given g) { return make_ovh(std::move(g.settings), std::move(g.find)); }},
    {"rfc2136", "RFC2136_", [](Given g) { return make_rfc2136(std::move(g.settings)); }},
    {"route53", "AWS_",
     [](Given g) { return make_route53(std::move(g.settings), std::move(g.find), g.environment); }},
};

}  // namespace

Configured<MadeProvider> make_provider(const std::string& code, const Environment& environment,
                                       ZoneFinder find, bool follows_aliases) {
  if (code.empty())
    return misconfigured("dnsChallenge.provider",
                         "is empty; it is the code of a DNS provider, e.g. cloudflare");
  const std::string wanted = lower(trim(code));
  if (const auto* row = std::ranges::find(kRows, wanted, &Row::code); row != std::end(kRows))
    return row->make(
        {Settings(wanted, row->prefix, environment), environment, std::move(find), follows_aliases});
  std::string known;
  const Row* nearest = nullptr;
  std::size_t best = 4;  // further apart it is another word
  for (const Row& row : kRows) {
    if (const std::size_t apart = edit_distance(wanted, row.code); apart < best) {
      best = apart;
      nearest = &row;
    }
    known += (known.empty() ? "" : ", ") + std::string(row.code);
  }
  return misconfigured(
      "dnsChallenge.provider",
      fmt::format(
          "there is no DNS provider {}{}; known are {}; any other can be reached by a hook (exec, httpreq), "
          "by acme-dns or by rfc2136",
          fairlead::quoted(code), nearest ? fmt::format(": did you mean {}?", nearest->code) : "", known));
}

}  // namespace fairlead::acme::dns
