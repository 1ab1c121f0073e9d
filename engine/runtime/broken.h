#pragma once

#include "engine/exchange/service.h"
#include "engine/model/reason.h"

#include <string>
#include <vector>

namespace fairlead::runtime {

// Stands for a router or service that cannot be built: keeps its place and answers 503 with the reason. Never
// served without its middlewares, never falling through to another router.
class Broken final : public exchange::Service {
 public:
  Broken(std::string what, const std::vector<model::Reason>& reasons);
  Task<exchange::Response> serve(exchange::Exchange& x) const override;

 private:
  std::string short_text_;
  std::string full_text_;
};

}  // namespace fairlead::runtime
