#include "engine/admin/internal.h"

#include "engine/admin/acme_http.h"
#include "engine/admin/api.h"
#include "engine/admin/dashboard.h"
#include "engine/admin/ping.h"
#include "engine/admin/prometheus.h"
#include "engine/admin/rest.h"

#include <utility>

namespace fairlead::admin {
namespace {

constexpr std::string_view kSuffix = "@internal";

// Stands behind routers whose middlewares always answer: redirections of entry points.
class Noop final : public exchange::Service {
 public:
  Task<exchange::Response> serve(exchange::Exchange& x) const override {
    return Task<exchange::Response>::ready(exchange::plain(x, 418, exchange::kPlainText, "I'm a teapot"));
  }
};

// What a middleware in front refuses has not reached the service, neither in the access log nor in the
// metrics of services.
class Reached final : public exchange::Service {
 public:
  explicit Reached(std::shared_ptr<const exchange::Service> service) : service_(std::move(service)) {}
  Task<exchange::Response> serve(exchange::Exchange& x) const override {
    if (x.record.internal) x.record.reached_service = true;
    return service_->serve(x);
  }

 private:
  const std::shared_ptr<const exchange::Service> service_;
};

std::shared_ptr<const exchange::Service> make(std::string_view name, std::shared_ptr<const Sources> sources) {
  if (name == "api") return std::make_shared<const Api>(std::move(sources));
  if (name == "dashboard") return std::make_shared<const Dashboard>(std::move(sources));
  if (name == "ping") return std::make_shared<const Ping>(std::move(sources));
  if (name == "prometheus") return std::make_shared<const Prometheus>(std::move(sources));
  if (name == "rest") return std::make_shared<const Rest>(std::move(sources));
  if (name == "acme-http") return std::make_shared<const AcmeHttp>(std::move(sources));
  if (name == "noop") return std::make_shared<const Noop>();
  return nullptr;
}

}  // namespace

std::shared_ptr<const exchange::Service> internal_service(std::string_view name,
                                                          std::shared_ptr<const Sources> sources) {
  if (name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
  std::shared_ptr<const exchange::Service> made = make(name, std::move(sources));
  return made ? std::make_shared<const Reached>(std::move(made)) : nullptr;
}

}  // namespace fairlead::admin
