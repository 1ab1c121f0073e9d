#include "acme/dns/digitalocean.h"

#include "acme/dns/api.h"

#include <fmt/format.h>

namespace fairlead::acme::dns {
namespace {

class DigitalOcean final : public ZoneProvider {
 public:
  DigitalOcean(ZoneFinder find, Api api, std::uint32_t ttl)
      : ZoneProvider(std::move(find)), api_(std::move(api)), ttl_(ttl) {}

 protected:
  Result<> add(const Place& place, const Record& record, std::stop_token stop) override {
    const auto made = api_.send("POST", fmt::format("/v2/domains/{}/records", place.zone),
                                {{"type", "TXT"},
                                 {"name", place.relative.empty() ? "@" : place.relative},
                                 {"data", record.value},
                                 {"ttl", ttl_}},
                                stop);
    if (!made) return std::unexpected(made.error());
    if (const auto result = made->json.find("domain_record"); result != made->json.end())
      remembered_.put(record, text_at(*result, "id"));
    return {};
  }

  Result<> remove(const Place& place, const Record& record, std::stop_token stop) override {
    std::string id = remembered_.take(record).value_or("");
    if (id.empty()) {
      const auto found = api_.get(fmt::format("/v2/domains/{}/records?type=TXT&name={}&per_page=200",
                                              place.zone, url_encoded(record.name)),
                                  stop, {404});
      if (!found) return std::unexpected(found.error());
      if (found->json.is_object())
        for (const auto& each : found->json.value("domain_records", nlohmann::json::array()))
          if (text_at(each, "data") == record.value) id = text_at(each, "id");
    }
    if (id.empty()) return {};
    const auto gone = api_.call(
        "DELETE", fmt::format("/v2/domains/{}/records/{}", place.zone, url_encoded(id)), {}, stop, {404});
    if (!gone) return std::unexpected(gone.error());
    return {};
  }

 private:
  const Api api_;
  const std::uint32_t ttl_;
  Remembered remembered_;
};

}  // namespace

Configured<MadeProvider> make_digitalocean(Settings settings, ZoneFinder find) {
  Api::Options api{.base = settings.url("DO_API_URL", "https://api.digitalocean.com"),
                   .authorize = fixed_fields({"Authorization: Bearer " + settings.need({"DO_AUTH_TOKEN"})}),
                   .credentials = "DO_AUTH_TOKEN",
                   .timeout = settings.http_timeout()};
  const std::uint32_t ttl = settings.ttl(30, 30);
  const Timing timing = settings.timing(std::chrono::seconds(60), std::chrono::seconds(5));
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{std::make_unique<DigitalOcean>(std::move(find), Api(std::move(api)), ttl), timing};
}

}  // namespace fairlead::acme::dns
