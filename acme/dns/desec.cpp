#include "acme/dns/desec.h"

#include "acme/dns/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace fairlead::acme::dns {
namespace {

// The values of a name are one record set: each change reads it and writes it whole.
class Desec final : public ZoneProvider {
 public:
  Desec(Api api, std::uint32_t ttl)
      : ZoneProvider([api](const std::string& name, std::stop_token stop) { return owner(api, name, stop); }),
        api_(std::move(api)),
        ttl_(ttl) {}

 protected:
  Result<> add(const Place& place, const Record& record, std::stop_token stop) override {
    return change(place, stop, [&](std::vector<std::string>& values) {
      if (std::ranges::find(values, '"' + record.value + '"') != values.end()) return false;
      values.push_back('"' + record.value + '"');
      return true;
    });
  }

  Result<> remove(const Place& place, const Record& record, std::stop_token stop) override {
    return change(place, stop, [&](std::vector<std::string>& values) {
      return std::erase(values, '"' + record.value + '"') > 0;
    });
  }

 private:
  static Result<std::string> owner(const Api& api, const std::string& name, const std::stop_token& stop) {
    const auto found = api.get(fmt::format("/domains/?owns_qname={}", url_encoded(name)), stop);
    if (!found) return std::unexpected(found.error());
    std::string zone =
        found->json.is_array() && !found->json.empty() ? text_at(found->json.front(), "name") : "";
    if (zone.empty())
      return fail(502, Fault::Upstream,
                  fmt::format("no domain of this account at {} holds {}", api.base(), name));
    return zone;
  }

  template <class Edit>
  Result<> change(const Place& place, const std::stop_token& stop, const Edit& edit) {
    static std::mutex one_at_a_time;  // also between two resolvers that use one account
    const std::lock_guard lock(one_at_a_time);
    const auto found = api_.get(fmt::format("/domains/{}/rrsets/{}/TXT/", place.zone,
                                            place.relative.empty() ? "@" : url_encoded(place.relative)),
                                stop, {404});
    if (!found) return std::unexpected(found.error());
    std::vector<std::string> values;
    if (found->status != 404 && found->json.is_object())
      for (const auto& each : found->json.value("records", nlohmann::json::array()))
        if (each.is_string()) values.push_back(each.get<std::string>());
    if (!edit(values)) return {};
    // A set without records is deleted.
    const auto done =
        api_.send("PUT", fmt::format("/domains/{}/rrsets/", place.zone),
                  nlohmann::json::array(
                      {{{"subname", place.relative}, {"type", "TXT"}, {"ttl", ttl_}, {"records", values}}}),
                  stop);
    if (!done) return std::unexpected(done.error());
    return {};
  }

  const Api api_;
  const std::uint32_t ttl_;
};

}  // namespace

Configured<MadeProvider> make_desec(Settings settings) {
  Api::Options api{.base = settings.url("DESEC_API_URL", "https://desec.io/api/v1"),
                   .authorize = fixed_fields({"Authorization: Token " + settings.need({"DESEC_TOKEN"})}),
                   .credentials = "DESEC_TOKEN",
                   .timeout = settings.http_timeout()};
  const std::uint32_t ttl = settings.ttl(3600, 60);
  const Timing timing = settings.timing(std::chrono::seconds(120), std::chrono::seconds(4));
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{std::make_unique<Desec>(Api(std::move(api)), ttl), timing};
}

}  // namespace fairlead::acme::dns
