#include "acme/dns/hetzner.h"

#include "acme/dns/api.h"

#include <fmt/format.h>

namespace fairlead::acme::dns {
namespace {

// Another change of the zone is under way: "conflict", "locked".
bool says_later(const ApiAnswer& answer) { return answer.status == 409 || answer.status == 423; }

// https://docs.hetzner.cloud/reference/cloud#zone-rrset-actions
class HetznerCloud final : public ZoneProvider {
 public:
  HetznerCloud(ZoneFinder find, Api api, std::uint32_t ttl, Timing timing)
      : ZoneProvider(std::move(find)), api_(std::move(api)), ttl_(ttl), timing_(timing) {}

 protected:
  Result<> add(const Place& place, const Record& record, std::stop_token stop) override {
    return act(place, "add_records", {{"ttl", ttl_}, {"records", records(record)}}, stop, {});
  }
  // 404: there is no such record any more. 422: not this value.
  Result<> remove(const Place& place, const Record& record, std::stop_token stop) override {
    return act(place, "remove_records", {{"records", records(record)}}, stop, {404, 422});
  }

 private:
  static nlohmann::json records(const Record& record) {
    return nlohmann::json::array({{{"value", '"' + record.value + '"'}}});
  }

  // Begins an action, and waits until it is done.
  Result<> act(const Place& place, const char* what, const nlohmann::json& body, const std::stop_token& stop,
               std::initializer_list<long> fine) const {
    auto answer = api_.send("POST",
                            fmt::format("/zones/{}/rrsets/{}/TXT/actions/{}", place.zone,
                                        place.relative.empty() ? "@" : url_encoded(place.relative), what),
                            body, stop, fine);
    const TimePoint deadline = SystemClock::instance().now() + timing_.timeout;
    for (;;) {
      if (!answer) return std::unexpected(answer.error());
      const nlohmann::json action =
          answer->json.is_object() ? answer->json.value("action", nlohmann::json()) : nlohmann::json();
      const std::string status = text_at(action, "status");
      if (status == "error")
        return fail(
            502, Fault::Upstream,
            fmt::format("{} failed: {}", what, text_at(action.value("error", nlohmann::json()), "message")));
      if (status != "running") return {};
      if (SystemClock::instance().now() >= deadline)
        return fail(504, Fault::Upstream, fmt::format("{} is not done in time", what));
      if (!sleep_for(std::min<Duration>(timing_.interval, std::chrono::seconds(1)), stop))
        return fail(503, Fault::Proxy, "stopped");
      answer = api_.get(fmt::format("/actions/{}", text_at(action, "id")), stop);
    }
  }

  const Api api_;
  const std::uint32_t ttl_;
  const Timing timing_;
};

// https://dns.hetzner.com/api-docs
class HetznerDns final : public ZoneProvider {
 public:
  HetznerDns(ZoneFinder find, Api api, std::uint32_t ttl)
      : ZoneProvider(std::move(find)), api_(std::move(api)), ttl_(ttl) {}

 protected:
  Result<> add(const Place& place, const Record& record, std::stop_token stop) override {
    const auto zone = zone_id(place.zone, stop);
    if (!zone) return std::unexpected(zone.error());
    const auto made = api_.send("POST", "/api/v1/records",
                                {{"zone_id", *zone},
                                 {"type", "TXT"},
                                 {"name", place.relative.empty() ? "@" : place.relative},
                                 {"value", record.value},
                                 {"ttl", ttl_}},
                                stop);
    if (!made) return std::unexpected(made.error());
    return {};
  }

  Result<> remove(const Place& place, const Record& record, std::stop_token stop) override {
    const auto zone = zone_id(place.zone, stop);
    if (!zone) return std::unexpected(zone.error());
    const auto found = api_.get(fmt::format("/api/v1/records?zone_id={}", url_encoded(*zone)), stop);
    if (!found) return std::unexpected(found.error());
    if (!found->json.is_object()) return {};
    for (const auto& each : found->json.value("records", nlohmann::json::array())) {
      const std::string value = text_at(each, "value");
      if (text_at(each, "type") != "TXT" || (value != record.value && value != '"' + record.value + '"'))
        continue;
      const auto gone = api_.call(
          "DELETE", fmt::format("/api/v1/records/{}", url_encoded(text_at(each, "id"))), {}, stop, {404});
      if (!gone) return std::unexpected(gone.error());
    }
    return {};
  }

 private:
  Result<std::string> zone_id(const std::string& zone, const std::stop_token& stop) const {
    const auto found = api_.get(fmt::format("/api/v1/zones?name={}", url_encoded(zone)), stop, {404});
    if (!found) return std::unexpected(found.error());
    if (found->json.is_object())
      for (const auto& each : found->json.value("zones", nlohmann::json::array()))
        if (text_at(each, "name") == zone) return text_at(each, "id");
    return fail(
        502, Fault::Upstream,
        "the account has no such zone; zones that were moved to the cloud console need HETZNER_API_TOKEN "
        "instead of HETZNER_API_KEY");
  }

  const Api api_;
  const std::uint32_t ttl_;
};

}  // namespace

Configured<MadeProvider> make_hetzner(Settings settings, ZoneFinder find) {
  const std::string key = settings.text({"HETZNER_API_KEY"});
  const std::string token =
      key.empty() ? settings.need({"HETZNER_API_TOKEN"}) : settings.text({"HETZNER_API_TOKEN"});
  const Duration timeout = settings.http_timeout();
  const bool cloud = !token.empty();
  const std::string base = cloud ? settings.url("HETZNER_API_URL", "https://api.hetzner.cloud/v1")
                                 : settings.url("HETZNER_DNS_API_URL", "https://dns.hetzner.com");
  const std::uint32_t ttl = settings.ttl(cloud ? 120 : 60, 60);
  const Timing timing = settings.timing(std::chrono::seconds(cloud ? 60 : 120));
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  if (cloud)
    return MadeProvider{
        std::make_unique<HetznerCloud>(std::move(find),
                                       Api({.base = base,
                                            .authorize = fixed_fields({"Authorization: Bearer " + token}),
                                            .credentials = "HETZNER_API_TOKEN",
                                            .timeout = timeout,
                                            .says_later = says_later}),
                                       ttl, timing),
        timing};
  return MadeProvider{std::make_unique<HetznerDns>(std::move(find),
                                                   Api({.base = base,
                                                        .authorize = fixed_fields({"Auth-API-Token: " + key}),
                                                        .credentials = "HETZNER_API_KEY",
                                                        .timeout = timeout}),
                                                   ttl),
                      timing};
}

}  // namespace fairlead::acme::dns
