#include "acme/dns/duckdns.h"

#include "acme/dns/api.h"
#include "engine/base/strings.h"

#include <fmt/format.h>

namespace fairlead::acme::dns {
namespace {

// The account's part of a name: "home" of _acme-challenge.www.home.duckdns.org. The TXT record of that domain
// answers for every name below it.
std::string account_domain(std::string_view name) {
  constexpr std::string_view kSuffix = ".duckdns.org";
  if (!name.ends_with(kSuffix)) return {};
  name.remove_suffix(kSuffix.size());
  const std::size_t dot = name.rfind('.');
  return std::string(dot == std::string_view::npos ? name : name.substr(dot + 1));
}

class DuckDns final : public Provider {
 public:
  DuckDns(Api api, std::string token) : api_(std::move(api)), token_(std::move(token)) {}

  Result<> present(const Record& record, std::stop_token stop) override {
    const std::string domain = account_domain(record.name);
    if (domain.empty())
      return fail(502, Fault::Upstream, fmt::format("{} is no name below duckdns.org", record.name));
    {
      const std::lock_guard lock(mutex_);
      const auto [held, fresh] = held_.try_emplace(domain, record.value);
      if (!fresh && held->second != record.value)
        return fail(
            409, Fault::Upstream,
            fmt::format("DuckDNS keeps one TXT value for {0}.duckdns.org, and another proof is using it: "
                        "order {0}.duckdns.org and *.{0}.duckdns.org one after the other",
                        domain),
            true);
    }
    return update(domain, record.value, false, stop);
  }

  Result<> clean_up(const Record& record, std::stop_token stop) override {
    const std::string domain = account_domain(record.name);
    {
      const std::lock_guard lock(mutex_);
      const auto held = held_.find(domain);
      if (held == held_.end() || held->second != record.value) return {};
    }
    auto done = update(domain, "", true, stop);
    const std::lock_guard lock(mutex_);
    held_.erase(domain);
    return done;
  }

 private:
  Result<> update(const std::string& domain, const std::string& value, bool clears,
                  const std::stop_token& stop) const {
    const auto answer = api_.get(fmt::format("/update?clear={}&domains={}&token={}&txt={}", clears, domain,
                                             url_encoded(token_), url_encoded(value)),
                                 stop);
    if (!answer) return std::unexpected(answer.error());
    if (trim(answer->body).starts_with("OK")) return {};
    return fail(
        502, Fault::Upstream,
        fmt::format("DuckDNS does not take the record of {}.duckdns.org ({}); look at DUCKDNS_TOKEN: is it "
                    "right, and is the domain in this account?",
                    domain, fairlead::quoted(trim(answer->body))));
  }

  const Api api_;
  const std::string token_;
  std::mutex mutex_;
  std::map<std::string, std::string> held_;  // values in place, by domain
};

}  // namespace

Configured<MadeProvider> make_duckdns(Settings settings) {
  const std::string token = settings.need({"DUCKDNS_TOKEN"});
  Api::Options api{.base = settings.url("DUCKDNS_API_URL", "https://www.duckdns.org"),
                   .authorize = {},
                   .credentials = "DUCKDNS_TOKEN",
                   .timeout = settings.http_timeout()};
  const Timing timing = settings.timing();
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{std::make_unique<DuckDns>(Api(std::move(api)), token), timing};
}

}  // namespace fairlead::acme::dns
