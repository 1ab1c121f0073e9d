#pragma once

#include "engine/exchange/exchange.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace fairlead::service {

// A request without its body, copied so that it outlives its exchange and connection.
class RequestCopy {
 public:
  explicit RequestCopy(const exchange::Exchange& x);

  const http::RequestHead& head() const { return head_; }
  // Makes `x`, which is new, the same request. The copy must outlive it.
  void put_into(exchange::Exchange& x) const;
  void drop_body();
  void set_length(std::uint64_t bytes);

 private:
  Arena arena_;
  http::RequestHead head_;
  net::Address client_;
  net::Address local_;
  std::string_view client_ip_;
  std::string_view router_name_;
  std::optional<exchange::TlsFacts> tls_;
  bool null_forwarded_for_;
  bool keep_forwarded_for_;
  bool metrics_;
};

}  // namespace fairlead::service
