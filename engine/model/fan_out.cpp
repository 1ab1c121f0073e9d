#include "engine/model/fan_out.h"

#include "engine/base/strings.h"
#include "engine/model/references.h"

#include <algorithm>
#include <ranges>
#include <string_view>
#include <vector>

namespace fairlead::model {
namespace {

constexpr std::uint64_t kTriesOfBuffering = 11;  // its hard stop after 10 more

std::uint64_t bounded(std::uint64_t count) { return std::min(count, FanOut::kMost); }

FanOut row_of(const std::vector<std::string>& names, const FanOutOf& middlewares) {
  FanOut out;
  for (const std::string& name : names | std::views::reverse) out = middlewares(name).around(out);
  return out;
}

// One of these is asked, and the next one where no server took the request.
class OneOf {
 public:
  void add(FanOut service) { more_ += std::max<std::uint64_t>(service.plus, 1) - 1; }
  FanOut all() const { return {0, bounded(1 + more_)}; }

 private:
  std::uint64_t more_ = 0;
};

FanOut without_middlewares(const HttpService& service, const FanOutOf& services) {
  OneOf children;
  if (service.weighted)
    for (const WeightedChild& child : service.weighted->services) children.add(services(child.name));
  if (service.highest_random_weight)
    for (const WeightedChild& child : service.highest_random_weight->services)
      children.add(services(child.name));
  if (const auto& failover = service.failover) {
    const FanOut main = services(failover->service), fallback = services(failover->fallback);
    if (failover->errors && !failover->errors->status.empty()) return {0, bounded(main.plus + fallback.plus)};
    children.add(main);
    children.add(fallback);
  }
  if (const auto& mirroring = service.mirroring) {
    std::uint64_t all = services(mirroring->service).plus;
    for (const Mirror& mirror : mirroring->mirrors)
      if (mirror.percent > 0) all = bounded(all + services(mirror.name).plus);
    return {0, all};
  }
  return children.all();
}

const schema::Node* option_of(const Middleware& middleware, std::string_view name) {
  const schema::Node* node = middleware.options.find_ignoring_case(name);
  return node && (!node->text().empty() || !node->empty()) ? node : nullptr;
}

}  // namespace

FanOut FanOut::around(FanOut inner) const {
  return {bounded(times * inner.times), bounded(times * inner.plus + plus)};
}

FanOut fan_out(const HttpService& service, const FanOutOf& services, const FanOutOf& middlewares) {
  return row_of(service.middlewares, middlewares).around(without_middlewares(service, services));
}

FanOut fan_out(const Middleware& middleware, const FanOutOf& services, const FanOutOf& middlewares) {
  if (middleware.type == "chain") {
    const schema::Node* list = option_of(middleware, "middlewares");
    return list ? row_of(texts(*list), middlewares) : FanOut();
  }
  if (middleware.type == "errors") {
    const schema::Node* service = option_of(middleware, "service");
    return service ? FanOut{1, services(service->text()).plus} : FanOut();
  }
  // After a network error alone nothing had been sent.
  if (middleware.type == "retry" && option_of(middleware, "status")) {
    const schema::Node* attempts = option_of(middleware, "attempts");
    return {bounded(std::max<std::uint64_t>(attempts ? parse_digits(attempts->text()).value_or(1) : 1, 1)),
            0};
  }
  if (middleware.type == "buffering" && option_of(middleware, "retryExpression"))
    return {kTriesOfBuffering, 0};
  return {};
}

}  // namespace fairlead::model
