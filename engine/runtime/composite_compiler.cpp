#include "engine/middleware/status_ranges.h"
#include "engine/model/hash.h"
#include "engine/model/merge.h"
#include "engine/runtime/service_compiler.h"
#include "engine/runtime/sticky_cookie.h"
#include "engine/service/failover.h"
#include "engine/service/mirroring.h"
#include "engine/service/weighted.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::runtime {
namespace {

using ServiceElement = model::Element<model::HttpService>;

// Whether a composite says by `healthCheck` that its state is its parent's business.
bool propagates(const model::HttpService& service) {
  return (service.weighted && service.weighted->health_check) ||
         (service.highest_random_weight && service.highest_random_weight->health_check) ||
         (service.mirroring && service.mirroring->health_check) ||
         (service.failover && service.failover->health_check);
}

int weight_of(std::int64_t weight) {
  return static_cast<int>(std::clamp<std::int64_t>(weight, 0, 1'000'000));
}

std::uint64_t limit_of(std::int64_t bytes) {
  return bytes < 0 ? exchange::SpoolLimits::kTotal : static_cast<std::uint64_t>(bytes);
}

}  // namespace

// `heed`: whose state counts for the parent.
std::optional<service::Child> ServiceCompiler::child(const std::string& parent, ServiceElement& element,
                                                     const std::string& name, Heed heed) {
  service::Child out;
  const model::QualifiedName parts = model::split(name);
  out.name = parts.provider == model::split(parent).provider ? std::string(parts.name) : name;
  out.service = service(name);
  const auto found = dynamic_.http.services.find(name);
  if (found == dynamic_.http.services.end()) {
    if (parts.provider == "internal") return out;
    element.break_off(model::ReasonKind::MissingReference,
                      fmt::format("the service \"{}\" does not exist", name));
    return std::nullopt;
  }
  if (found->second.broken()) {
    element.break_off(model::ReasonKind::MissingReference, fmt::format("the service \"{}\" is broken", name));
    return std::nullopt;
  }
  // The provider of containers knows at any time which of them run; other servers are known by checks.
  const model::HttpService& options = found->second.options;
  const bool counts = heed == Heed::Containers
                          ? options.load_balancer && dynamic_.http.standings.contains(name)
                          : options.load_balancer || propagates(options);
  if (const auto status = statuses_.find(name); counts && status != statuses_.end())
    out.status = status->second;
  return out;
}

std::optional<std::vector<service::Child>> ServiceCompiler::children(
    const std::string& parent, ServiceElement& element, const std::vector<model::WeightedChild>& list,
    bool propagated) {
  std::vector<service::Child> out;
  for (const model::WeightedChild& one : list) {
    auto made = child(parent, element, one.name, propagated ? Heed::All : Heed::Containers);
    if (!made) return std::nullopt;
    made->weight = weight_of(one.weight);
    out.push_back(std::move(*made));
  }
  return out;
}

template <class T>
std::shared_ptr<const exchange::Service> ServiceCompiler::with_status(const std::string& name,
                                                                      std::shared_ptr<const T> made) {
  statuses_[name] = made;
  return made;
}

std::shared_ptr<const exchange::Service> ServiceCompiler::weighted(const std::string& name,
                                                                   ServiceElement& element) {
  const model::Weighted& options = *element.options.weighted;
  auto below = children(name, element, options.services, options.health_check.has_value());
  if (!below) return nullptr;
  std::shared_ptr<const upstream::Sticky> sticky;
  if (options.sticky && options.sticky->cookie) {
    std::vector<std::string> targets;
    for (const service::Child& one : *below) targets.push_back(one.name);
    sticky = std::make_shared<upstream::Sticky>(name, sticky_cookie(*options.sticky->cookie), targets);
  }
  auto state = compiler_.carry_over_.get<upstream::ServiceState>(name, model::hash_of(options));
  return with_status(name,
                     std::make_shared<const service::Weighted>(std::move(*below), std::move(state), sticky));
}

std::shared_ptr<const exchange::Service> ServiceCompiler::mirroring(const std::string& name,
                                                                    ServiceElement& element) {
  const model::Mirroring& options = *element.options.mirroring;
  std::vector<service::MirrorTarget> mirrors;
  for (const model::Mirror& mirror : options.mirrors) {
    auto target = child(name, element, mirror.name, Heed::All);
    if (!target) return nullptr;
    mirrors.push_back({target->service, static_cast<int>(mirror.percent)});
  }
  auto main = child(name, element, options.service, Heed::All);
  if (!main) return nullptr;
  auto state = compiler_.carry_over_.get<service::MirrorState>(name, model::hash_of(options));
  const service::MirroringOptions made{options.mirror_body, limit_of(options.max_body_size)};
  return with_status(name, std::make_shared<const service::Mirroring>(made, std::move(*main),
                                                                      std::move(mirrors), std::move(state)));
}

std::shared_ptr<const exchange::Service> ServiceCompiler::failover(const std::string& name,
                                                                   ServiceElement& element) {
  const model::Failover& options = *element.options.failover;
  auto main = child(name, element, options.service, Heed::All);
  auto fallback = main ? child(name, element, options.fallback, Heed::All) : std::nullopt;
  if (!fallback) return nullptr;
  std::optional<service::FailoverErrors> errors;
  if (options.errors && !options.errors->status.empty()) {
    schema::Problems notices;
    auto ranges = middleware::StatusRanges::make("failover.errors.status", options.errors->status, notices);
    for (const schema::Problem& notice : notices) element.warn(model::ReasonKind::BadOption, notice.text());
    if (!ranges) {
      element.break_off(model::ReasonKind::BadOption,
                        fmt::format("{}: {}", ranges.error().path, ranges.error().what));
      return nullptr;
    }
    errors = {[all = std::move(*ranges)](int status) { return all.has(status); },
              limit_of(options.errors->max_request_body_bytes)};
  }
  return with_status(name, std::make_shared<const service::Failover>(std::move(*main), std::move(*fallback),
                                                                     std::move(errors)));
}

std::shared_ptr<const exchange::Service> ServiceCompiler::composite(const std::string& name,
                                                                    ServiceElement& element) {
  const model::HttpService& options = element.options;
  if (options.weighted) return weighted(name, element);
  if (options.mirroring) return mirroring(name, element);
  if (options.failover) return failover(name, element);
  if (!options.highest_random_weight) {
    element.break_off(model::ReasonKind::BadOption, "is of no kind");
    return nullptr;
  }
  const model::HighestRandomWeight& hrw = *options.highest_random_weight;
  auto below = children(name, element, hrw.services, hrw.health_check.has_value());
  if (!below) return nullptr;
  return with_status(name, std::make_shared<const service::HighestRandomWeight>(std::move(*below)));
}

}  // namespace fairlead::runtime
