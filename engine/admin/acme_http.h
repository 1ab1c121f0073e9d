#pragma once

#include "engine/admin/view.h"
#include "engine/exchange/service.h"

namespace fairlead::admin {

// acme-http@internal: answers /.well-known/acme-challenge/<token> with the key authorization (RFC 8555 §8.3);
// an unknown token is 404.
class AcmeHttp final : public exchange::Service {
 public:
  explicit AcmeHttp(std::shared_ptr<const Sources> sources) : sources_(std::move(sources)) {}
  Task<exchange::Response> serve(exchange::Exchange& x) const override;

 private:
  std::shared_ptr<const Sources> sources_;
};

}  // namespace fairlead::admin
