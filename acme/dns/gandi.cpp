#include "acme/dns/gandi.h"

#include "acme/dns/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace fairlead::acme::dns {
namespace {

// LiveDNS keeps the values of a name together: each change reads them and writes them all.
class Gandi final : public ZoneProvider {
 public:
  Gandi(ZoneFinder find, Api api, std::uint32_t ttl)
      : ZoneProvider(std::move(find)), api_(std::move(api)), ttl_(ttl) {}

 protected:
  Result<> add(const Place& place, const Record& record, std::stop_token stop) override {
    return change(place, stop, [&](std::vector<std::string>& values) {
      if (std::ranges::find(values, quoted_value(record)) != values.end()) return false;
      values.push_back(quoted_value(record));
      return true;
    });
  }

  Result<> remove(const Place& place, const Record& record, std::stop_token stop) override {
    return change(place, stop, [&](std::vector<std::string>& values) {
      return std::erase(values, quoted_value(record)) > 0;
    });
  }

 private:
  static std::string quoted_value(const Record& record) { return '"' + record.value + '"'; }

  template <class Edit>
  Result<> change(const Place& place, const std::stop_token& stop, const Edit& edit) {
    static std::mutex one_at_a_time;  // also between two resolvers that use one account
    const std::lock_guard lock(one_at_a_time);
    const std::string path = fmt::format("/domains/{}/records/{}/TXT", place.zone,
                                         place.relative.empty() ? "@" : url_encoded(place.relative));
    const auto found = api_.get(path, stop, {404});
    if (!found) return std::unexpected(found.error());
    std::vector<std::string> values;
    if (found->status != 404 && found->json.is_object())
      for (const auto& each : found->json.value("rrset_values", nlohmann::json::array()))
        if (each.is_string()) {
          std::string value = each.get<std::string>();
          if (!value.starts_with('"')) value = '"' + value + '"';
          values.push_back(std::move(value));
        }
    if (!edit(values)) return {};
    const auto done = values.empty()
                          ? api_.call("DELETE", path, {}, stop, {404})
                          : api_.send("PUT", path, {{"rrset_ttl", ttl_}, {"rrset_values", values}}, stop);
    if (!done) return std::unexpected(done.error());
    return {};
  }

  const Api api_;
  const std::uint32_t ttl_;
};

}  // namespace

Configured<MadeProvider> make_gandi(Settings settings, ZoneFinder find) {
  const std::string key = settings.text({"GANDIV5_API_KEY"});
  const std::string token = key.empty() ? settings.need({"GANDIV5_PERSONAL_ACCESS_TOKEN"})
                                        : settings.text({"GANDIV5_PERSONAL_ACCESS_TOKEN"});
  Api::Options api{.base = settings.url("GANDIV5_API_URL", "https://api.gandi.net/v5/livedns"),
                   .authorize = fixed_fields(
                       {token.empty() ? "Authorization: Apikey " + key : "Authorization: Bearer " + token}),
                   .credentials = token.empty() ? "GANDIV5_API_KEY" : "GANDIV5_PERSONAL_ACCESS_TOKEN",
                   .timeout = settings.http_timeout(std::chrono::seconds(10))};
  const std::uint32_t ttl = settings.ttl(300, 300);
  const Timing timing = settings.timing(std::chrono::minutes(20), std::chrono::seconds(20));
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{std::make_unique<Gandi>(std::move(find), Api(std::move(api)), ttl), timing};
}

}  // namespace fairlead::acme::dns
