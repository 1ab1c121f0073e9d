#include "acme/dns/rfc2136.h"

#include "acme/dns/message.h"
#include "acme/dns/resolver.h"
#include "acme/dns/round_trip.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <fstream>
#include <iterator>

namespace fairlead::acme::dns {
namespace {

constexpr std::uint16_t kUpdate = 5u << 11;  // the operation code in its place

std::uint64_t signing_time() { return static_cast<std::uint64_t>(SystemClock::instance().unix_seconds()); }

void put_string(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size());
  out += text;
}

// What a server means by refusing an update (RFC 2136 §2.2).
std::string refusal_words(int rcode) {
  switch (rcode) {
    case 5: return "REFUSED: its configuration does not let this key or address change the zone";
    case 9: return "NOTAUTH: it is not the primary server of the zone, or does not accept the key";
    case 10: return "NOTZONE: the name is not in the zone";
    default: return rcode_text(rcode);
  }
}

}  // namespace

Result<std::string> make_update(std::uint16_t id, const std::string& zone, const std::string& name,
                                const std::string& value, std::uint32_t ttl, bool adds) {
  if (value.empty() || value.size() > 255)
    return fail(500, Fault::Proxy, "a TXT string holds 1 to 255 bytes");
  std::string out;
  put16(out, id);
  put16(out, kUpdate);
  put16(out, 1);  // zones
  put16(out, 0);  // prerequisites
  put16(out, 1);  // updates
  put16(out, 0);
  if (!put_name(out, zone))
    return fail(500, Fault::Proxy, fmt::format("{} is no DNS name", fairlead::quoted(zone)));
  put16(out, static_cast<std::uint32_t>(Type::SOA));
  put16(out, kClassIn);
  if (!put_name(out, name))
    return fail(500, Fault::Proxy, fmt::format("{} is no DNS name", fairlead::quoted(name)));
  put16(out, static_cast<std::uint32_t>(Type::TXT));
  put16(out, adds ? kClassIn : kClassNone);
  put32(out, adds ? ttl : 0);
  put16(out, static_cast<std::uint32_t>(value.size() + 1));
  put_string(out, value);
  return out;
}

Result<> DynamicUpdate::update(const Record& record, bool adds, std::stop_token stop) const {
  const auto zone = Resolver({options_.server}, stop).find_zone(record.name);
  if (!zone) return std::unexpected(zone.error());
  const auto because = [&](const Error& error) {
    return fail(error.status, error.fault,
                fmt::format("zone {} at {}: {}", *zone, options_.server, error.detail), error.retryable);
  };
  std::uint16_t id = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&id), sizeof id);
  auto message = make_update(id, *zone, record.name, record.value, options_.ttl, adds);
  if (!message) return because(message.error());
  std::string mac;
  if (options_.key) mac = sign(*message, *options_.key, signing_time());
  const auto answer = round_trip(options_.server, *message, options_.timeout, stop);
  if (!answer) return because(answer.error());
  if (options_.key)
    if (const auto genuine = verify(*answer, *options_.key, mac, signing_time()); !genuine)
      return because(genuine.error());
  const auto read = parse_message(*answer);
  if (!read || !read->is_response || read->id != id)
    return because({502, Fault::Upstream, false, "the answer is no DNS message"});
  if (read->rcode != kNoError)
    return because({502, Fault::Upstream, false,
                    fmt::format("the server answers {}{}", refusal_words(read->rcode),
                                options_.key ? ""
                                             : " (the update was not signed: RFC2136_TSIG_KEY and "
                                               "RFC2136_TSIG_SECRET are not set)")});
  return {};
}

Configured<MadeProvider> make_rfc2136(Settings settings) {
  UpdateOptions options;
  const std::string server = settings.need({"RFC2136_NAMESERVER"});
  const auto [host, port] = host_and_port(server, "53");
  options.server = host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  options.ttl = settings.ttl(120);
  options.timeout = settings.seconds("RFC2136_DNS_TIMEOUT", std::chrono::seconds(10));
  const std::string name = settings.text({"RFC2136_TSIG_KEY"});
  const std::string secret = settings.text({"RFC2136_TSIG_SECRET"});
  const std::string file = settings.text({"RFC2136_TSIG_FILE"});
  if (!file.empty()) {
    std::ifstream in(file, std::ios::binary);
    const std::string contents{std::istreambuf_iterator<char>(in), {}};
    auto key = read_tsig_key(contents);
    if (key)
      options.key = std::move(*key);
    else
      settings.complain(fmt::format("RFC2136_TSIG_FILE {}: {}", file, in ? key.error() : "cannot be read"));
  } else if (!name.empty() && !secret.empty()) {
    std::string algorithm = settings.text({"RFC2136_TSIG_ALGORITHM"});
    if (algorithm.empty()) algorithm = "hmac-sha1";
    auto key = make_tsig_key(name, algorithm, secret);
    if (key)
      options.key = std::move(*key);
    else
      settings.complain(fmt::format("RFC2136_TSIG_*: {}", key.error()));
  } else if (!name.empty() || !secret.empty()) {
    settings.complain(fmt::format("{} is not set, and without it updates are not signed",
                                  name.empty() ? "RFC2136_TSIG_KEY" : "RFC2136_TSIG_SECRET"));
  }
  const Timing timing = settings.timing(settings.seconds("RFC2136_TIMEOUT", std::chrono::seconds(60)));
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{std::make_unique<DynamicUpdate>(std::move(options)), timing};
}

}  // namespace fairlead::acme::dns
