#include "acme/dns/cloudflare.h"

#include "acme/dns/api.h"

#include <fmt/format.h>

namespace fairlead::acme::dns {
namespace {

nlohmann::json results(const ApiAnswer& answer) {
  return answer.json.is_object() ? answer.json.value("result", nlohmann::json()) : nlohmann::json();
}

// "An identical record already exists": of an attempt that was ended before it cleaned up, in an order that
// the authority goes on with.
bool says_done(const ApiAnswer& answer) {
  if (answer.status != 400 || !answer.json.is_object()) return false;
  for (const auto& error : answer.json.value("errors", nlohmann::json()))
    if (const std::string code = text_at(error, "code"); code == "81057" || code == "81058") return true;
  return false;
}

class Cloudflare final : public ZoneProvider {
 public:
  Cloudflare(ZoneFinder find, Api records, Api zones, std::uint32_t ttl)
      : ZoneProvider(std::move(find)), records_(std::move(records)), zones_(std::move(zones)), ttl_(ttl) {}

 protected:
  Result<> add(const Place& place, const Record& record, std::stop_token stop) override {
    const auto zone = zone_id(place.zone, stop);
    if (!zone) return std::unexpected(zone.error());
    const auto made = records_.send(
        "POST", fmt::format("/zones/{}/dns_records", *zone),
        {{"type", "TXT"}, {"name", record.name}, {"content", '"' + record.value + '"'}, {"ttl", ttl_}}, stop);
    if (!made) return std::unexpected(made.error());
    if (const auto result = made->json.find("result"); result != made->json.end())
      remembered_.put(record, text_at(*result, "id"));
    return {};
  }

  Result<> remove(const Place& place, const Record& record, std::stop_token stop) override {
    const auto zone = zone_id(place.zone, stop);
    if (!zone) return std::unexpected(zone.error());
    std::string id = remembered_.take(record).value_or("");
    if (id.empty()) {
      const auto found = records_.get(
          fmt::format("/zones/{}/dns_records?type=TXT&name={}", *zone, url_encoded(record.name)), stop);
      if (!found) return std::unexpected(found.error());
      for (const auto& each : results(*found)) {
        const std::string content = text_at(each, "content");
        if (content == record.value || content == '"' + record.value + '"') id = text_at(each, "id");
      }
    }
    if (id.empty()) return {};
    const auto gone = records_.call("DELETE", fmt::format("/zones/{}/dns_records/{}", *zone, url_encoded(id)),
                                    {}, stop, {404});
    if (!gone) return std::unexpected(gone.error());
    return {};
  }

 private:
  Result<std::string> zone_id(const std::string& zone, const std::stop_token& stop) const {
    const auto found = zones_.get(fmt::format("/zones?name={}", url_encoded(zone)), stop);
    if (!found) return std::unexpected(found.error());
    for (const auto& each : results(*found))
      if (text_at(each, "name") == zone) return text_at(each, "id");
    return fail(502, Fault::Upstream,
                "the account has no such zone, or the token may not see it (permission Zone / Zone / Read)");
  }

  const Api records_, zones_;
  const std::uint32_t ttl_;
  Remembered remembered_;
};

}  // namespace

Configured<MadeProvider> make_cloudflare(Settings settings, ZoneFinder find) {
  const std::string base = settings.url("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com/client/v4");
  const std::string token = settings.text({"CF_DNS_API_TOKEN", "CLOUDFLARE_DNS_API_TOKEN"});
  std::string zone_token = settings.text({"CF_ZONE_API_TOKEN", "CLOUDFLARE_ZONE_API_TOKEN"});
  const std::string email = settings.text({"CF_API_EMAIL", "CLOUDFLARE_EMAIL"});
  const std::string key = settings.text({"CF_API_KEY", "CLOUDFLARE_API_KEY"});
  if (zone_token.empty()) zone_token = token;
  Api::Options records{.base = base, .authorize = {}, .credentials = {}, .timeout = settings.http_timeout()};
  Api::Options zones = records;
  records.says_done = says_done;
  if (!token.empty()) {
    records.authorize = fixed_fields({"Authorization: Bearer " + token});
    records.credentials = "CF_DNS_API_TOKEN";
    zones.authorize = fixed_fields({"Authorization: Bearer " + zone_token});
    zones.credentials = zone_token == token ? "CF_DNS_API_TOKEN" : "CF_ZONE_API_TOKEN";
  } else if (!email.empty() && !key.empty()) {
    records.authorize = zones.authorize = fixed_fields({"X-Auth-Email: " + email, "X-Auth-Key: " + key});
    records.credentials = zones.credentials = "CF_API_EMAIL and CF_API_KEY";
  } else if (email.empty() && key.empty()) {
    settings.need({"CF_DNS_API_TOKEN", "CLOUDFLARE_DNS_API_TOKEN"});
  } else {
    settings.need({email.empty() ? "CF_API_EMAIL" : "CF_API_KEY"});
  }
  const std::uint32_t ttl = settings.ttl(120, 60);
  const Timing timing = settings.timing(std::chrono::seconds(120));
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{
      std::make_unique<Cloudflare>(std::move(find), Api(std::move(records)), Api(std::move(zones)), ttl),
      timing};
}

}  // namespace fairlead::acme::dns
