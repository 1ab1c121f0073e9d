#pragma once

#include "engine/exchange/exchange.h"
#include "engine/exchange/middleware.h"
#include "engine/exchange/service.h"

#include <memory>
#include <string>

namespace fairlead::exchange {

struct EntryPoint;
struct Route;

// Starts the trace of a request whose entry point has a tracer, unless its router (null: none matched) wants
// none.
void begin_trace(Exchange& x, const EntryPoint& entry_point, const Route* route);

// A middleware that has a span of its own in detailed traces. A configuration without such traces has none of
// these.
class TracedMiddleware final : public Middleware {
 public:
  // `type` as its span is called: "AddPrefix"; `name` is qualified.
  TracedMiddleware(std::string type, std::string name, std::shared_ptr<const Middleware> inner)
      : type_(std::move(type)), name_(std::move(name)), inner_(std::move(inner)) {}
  Task<Response> handle(Exchange& x, Next next) const override;
  std::string_view counts_as() const override { return inner_->counts_as(); }

 private:
  Task<Response> in_span(Exchange& x, Next next) const;

  const std::string type_;
  const std::string name_;
  const std::shared_ptr<const Middleware> inner_;
};

// What stands behind a router, or a service, with its span in detailed traces.
class TracedService final : public Service {
 public:
  // Of a service.
  TracedService(std::string service, std::shared_ptr<const Service> inner)
      : service_(std::move(service)), inner_(std::move(inner)) {}
  // Of a router.
  TracedService(std::string router, std::string rule, std::string service,
                std::shared_ptr<const Service> inner)
      : router_(std::move(router)),
        rule_(std::move(rule)),
        service_(std::move(service)),
        inner_(std::move(inner)) {}
  Task<Response> serve(Exchange& x) const override;

 private:
  Task<Response> in_span(Exchange& x) const;

  const std::string router_;
  const std::string rule_;
  const std::string service_;
  const std::shared_ptr<const Service> inner_;
};

}  // namespace fairlead::exchange
