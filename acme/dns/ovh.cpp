#include "acme/dns/ovh.h"

#include "acme/dns/api.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <mutex>

namespace fairlead::acme::dns {
namespace {

constexpr std::pair<std::string_view, std::string_view> kEndpoints[] = {
    {"ovh-eu", "https://eu.api.ovh.com/1.0"},
    {"ovh-ca", "https://ca.api.ovh.com/1.0"},
    {"ovh-us", "https://api.us.ovhcloud.com/1.0"},
    {"kimsufi-eu", "https://eu.api.kimsufi.com/1.0"},
    {"kimsufi-ca", "https://ca.api.kimsufi.com/1.0"},
    {"soyoustart-eu", "https://eu.api.soyoustart.com/1.0"},
    {"soyoustart-ca", "https://ca.api.soyoustart.com/1.0"},
};

// The ways to be somebody at OVH.
struct Identity {
  std::string application_key, application_secret, consumer_key;
  std::string access_token;
  std::string client_id, client_secret, token_url;
};

class Ovh final : public ZoneProvider {
 public:
  Ovh(ZoneFinder find, std::string base, Identity identity, std::uint32_t ttl, Duration timeout)
      : ZoneProvider(std::move(find)),
        base_(std::move(base)),
        identity_(std::move(identity)),
        ttl_(ttl),
        timeout_(timeout) {}

 protected:
  Result<> add(const Place& place, const Record& record, std::stop_token stop) override {
    const auto api = signed_in(stop);
    if (!api) return std::unexpected(api.error());
    const auto made = api->send(
        "POST", fmt::format("/domain/zone/{}/record", place.zone),
        {{"fieldType", "TXT"}, {"subDomain", place.relative}, {"target", record.value}, {"ttl", ttl_}}, stop);
    if (!made) return std::unexpected(made.error());
    remembered_.put(record, made->text("id"));
    return refresh(*api, place, stop);
  }

  Result<> remove(const Place& place, const Record& record, std::stop_token stop) override {
    const auto api = signed_in(stop);
    if (!api) return std::unexpected(api.error());
    auto id = remembered_.take(record);
    if (!id) {
      auto found = find_record(*api, place, record, stop);
      if (!found) return std::unexpected(found.error());
      if (found->empty()) return {};
      id = std::move(*found);
    }
    const auto gone = api->call(
        "DELETE", fmt::format("/domain/zone/{}/record/{}", place.zone, url_encoded(*id)), {}, stop, {404});
    if (!gone) return std::unexpected(gone.error());
    return refresh(*api, place, stop);
  }

 private:
  // Changes are served from then on.
  static Result<> refresh(const Api& api, const Place& place, const std::stop_token& stop) {
    const auto done = api.call("POST", fmt::format("/domain/zone/{}/refresh", place.zone), {}, stop);
    if (!done) return std::unexpected(done.error());
    return {};
  }

  // A record made by an earlier process; keys that may only write do not see it, and it stays.
  static Result<std::string> find_record(const Api& api, const Place& place, const Record& record,
                                         const std::stop_token& stop) {
    constexpr std::size_t kMostRecords = 50;
    const auto list = api.get(fmt::format("/domain/zone/{}/record?fieldType=TXT&subDomain={}", place.zone,
                                          url_encoded(place.relative)),
                              stop, {403, 404});
    if (!list) return std::unexpected(list.error());
    if (!list->json.is_array()) return "";
    for (std::size_t i = 0; i < std::min(list->json.size(), kMostRecords); ++i) {
      if (!list->json[i].is_number_integer()) continue;
      const std::string id = list->json[i].dump();
      const auto one =
          api.get(fmt::format("/domain/zone/{}/record/{}", place.zone, url_encoded(id)), stop, {404});
      if (!one) return std::unexpected(one.error());
      std::string target = one->text("target");
      std::erase(target, '"');
      if (target == record.value) return id;
    }
    return "";
  }

  Result<Api> signed_in(const std::stop_token& stop) const {
    Api::Options options{.base = base_, .authorize = {}, .credentials = {}, .timeout = timeout_};
    if (!identity_.application_key.empty()) {
      const auto skew = clock_skew(stop);
      if (!skew) return std::unexpected(skew.error());
      options.credentials = "OVH_APPLICATION_KEY, OVH_APPLICATION_SECRET and OVH_CONSUMER_KEY";
      options.authorize = [identity = identity_, skew = *skew](
                              const std::string& method, const std::string& url, const std::string& body) {
        const std::string time = std::to_string(SystemClock::instance().unix_seconds() + skew);
        return std::vector<std::string>{
            "X-Ovh-Application: " + identity.application_key, "X-Ovh-Consumer: " + identity.consumer_key,
            "X-Ovh-Timestamp: " + time,
            "X-Ovh-Signature: " +
                ovh_signature(identity.application_secret, identity.consumer_key, method, url, body, time)};
      };
      return Api(std::move(options));
    }
    std::string token = identity_.access_token;
    options.credentials = "OVH_ACCESS_TOKEN";
    if (token.empty()) {
      auto given = client_token(stop);
      if (!given) return std::unexpected(given.error());
      token = std::move(*given);
      options.credentials = "OVH_CLIENT_ID and OVH_CLIENT_SECRET";
    }
    options.authorize = fixed_fields({"Authorization: Bearer " + token});
    return Api(std::move(options));
  }

  // Seconds that the server's clock is ahead of ours: signatures are only good for a short time.
  Result<std::int64_t> clock_skew(const std::stop_token& stop) const {
    const auto time =
        Api({.base = base_, .authorize = {}, .credentials = {}, .timeout = timeout_}).get("/auth/time", stop);
    if (!time) return std::unexpected(time.error());
    const auto theirs = parse_digits(trim(time->body));
    if (!theirs) return fail(502, Fault::Upstream, fmt::format("{}/auth/time gives no time", base_));
    return static_cast<std::int64_t>(*theirs) - SystemClock::instance().unix_seconds();
  }

  // OAuth 2 client credentials (RFC 6749 §4.4).
  Result<std::string> client_token(const std::stop_token& stop) const {
    const auto given =
        Api({.base = identity_.token_url,
             .authorize = {},
             .credentials = "OVH_CLIENT_ID and OVH_CLIENT_SECRET",
             .timeout = timeout_,
             .content_type = "application/x-www-form-urlencoded"})
            .call("POST", {},
                  fmt::format("grant_type=client_credentials&client_id={}&client_secret={}&scope=all",
                              url_encoded(identity_.client_id), url_encoded(identity_.client_secret)),
                  stop);
    if (!given) return std::unexpected(given.error());
    std::string token = given->text("access_token");
    if (token.empty())
      return fail(502, Fault::Upstream, fmt::format("{} gives no token", identity_.token_url));
    return token;
  }

  const std::string base_;
  const Identity identity_;
  const std::uint32_t ttl_;
  const Duration timeout_;
  Remembered remembered_;
};

std::string token_url(std::string_view endpoint) {
  if (endpoint == "ovh-ca") return "https://ca.ovh.com/auth/oauth2/token";
  if (endpoint == "ovh-us") return "https://us.ovhcloud.com/auth/oauth2/token";
  return "https://www.ovh.com/auth/oauth2/token";
}

}  // namespace

std::string ovh_signature(const std::string& secret, const std::string& consumer_key,
                          const std::string& method, const std::string& url, const std::string& body,
                          const std::string& time) {
  const std::string text = fmt::format("{}+{}+{}+{}+{}+{}", secret, consumer_key, method, url, body, time);
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out = "$1$";
  for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

Configured<MadeProvider> make_ovh(Settings settings, ZoneFinder find) {
  const std::string endpoint = settings.need({"OVH_ENDPOINT"});
  std::string base = endpoint;
  if (const auto* known =
          std::ranges::find(kEndpoints, endpoint, &std::pair<std::string_view, std::string_view>::first);
      known != std::end(kEndpoints)) {
    base = known->second;
  } else if (!endpoint.empty() && !istarts_with(endpoint, "http://") && !istarts_with(endpoint, "https://")) {
    settings.complain(
        fmt::format("OVH_ENDPOINT is {}; ovh-eu, ovh-ca, ovh-us, kimsufi-eu, kimsufi-ca, "
                    "soyoustart-eu, soyoustart-ca or a URL is expected",
                    fairlead::quoted(endpoint)));
  }
  while (base.ends_with('/')) base.pop_back();
  Identity identity;
  identity.access_token = settings.text({"OVH_ACCESS_TOKEN"});
  identity.client_id = settings.text({"OVH_CLIENT_ID"});
  if (!identity.client_id.empty()) {
    identity.client_secret = settings.need({"OVH_CLIENT_SECRET"});
    identity.token_url = settings.url("OVH_TOKEN_URL", token_url(endpoint));
  } else if (identity.access_token.empty()) {
    identity.application_key = settings.need({"OVH_APPLICATION_KEY"});
    identity.application_secret = settings.need({"OVH_APPLICATION_SECRET"});
    identity.consumer_key = settings.need({"OVH_CONSUMER_KEY"});
  }
  const std::uint32_t ttl = settings.ttl(120, 60);
  const Duration timeout = settings.http_timeout(std::chrono::seconds(180));
  const Timing timing = settings.timing();
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{
      std::make_unique<Ovh>(std::move(find), std::move(base), std::move(identity), ttl, timeout), timing};
}

}  // namespace fairlead::acme::dns
