#include "acme/dns/httpreq.h"

#include "acme/dns/api.h"
#include "acme/encoding.h"
#include "engine/base/strings.h"

#include <fmt/format.h>

namespace fairlead::acme::dns {
namespace {

class HttpRequestHook final : public Provider {
 public:
  HttpRequestHook(Api api, bool raw) : api_(std::move(api)), raw_(raw) {}
  Result<> present(const Record& record, std::stop_token stop) override {
    return post("/present", record, stop);
  }
  Result<> clean_up(const Record& record, std::stop_token stop) override {
    return post("/cleanup", record, stop);
  }

 private:
  Result<> post(const char* path, const Record& record, const std::stop_token& stop) const {
    const nlohmann::json body = raw_ ? nlohmann::json{{"domain", record.domain},
                                                      {"token", record.token},
                                                      {"keyAuth", record.key_authorization}}
                                     : nlohmann::json{{"fqdn", record.name + "."}, {"value", record.value}};
    const auto done = api_.send("POST", path, body, stop);
    if (!done) return std::unexpected(done.error());
    return {};
  }

  const Api api_;
  const bool raw_;
};

}  // namespace

Configured<MadeProvider> make_httpreq(Settings settings) {
  settings.need({"HTTPREQ_ENDPOINT"});
  const std::string mode = settings.text({"HTTPREQ_MODE"});
  const std::string user = settings.text({"HTTPREQ_USERNAME"}),
                    password = settings.text({"HTTPREQ_PASSWORD"});
  if (!mode.empty() && mode != "RAW")
    settings.complain(fmt::format("HTTPREQ_MODE is {}; RAW or nothing is expected", fairlead::quoted(mode)));
  Api::Options api{.base = settings.url("HTTPREQ_ENDPOINT", ""),
                   .authorize = {},
                   .credentials = "HTTPREQ_USERNAME and HTTPREQ_PASSWORD",
                   .timeout = settings.http_timeout()};
  // RFC 7617
  if (!user.empty() && !password.empty())
    api.authorize = fixed_fields({"Authorization: Basic " + base64(user + ':' + password)});
  const Timing timing = settings.timing();
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{std::make_unique<HttpRequestHook>(Api(std::move(api)), mode == "RAW"), timing};
}

}  // namespace fairlead::acme::dns
