#pragma once

#include "acme/client.h"
#include "acme/order_failure.h"
#include "acme/solver.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::acme {

// One certificate to be obtained.
struct OrderOptions {
  std::vector<std::string> names;  // the first is the common name
  std::string key_type = "EC256";
  std::string profile;
  std::string preferred_chain;
  std::vector<std::string> email_addresses;
  bool common_name = true;
  std::vector<std::string> resolvers;  // asked for CAA records; none: the system's
  std::string replaces;                // renewal id of the certificate before (RFC 9773 §5); may be empty
  std::optional<OpenOrder> open;       // gone on with, instead of a new one
  Duration validation_timeout = std::chrono::minutes(3);    // for all authorizations together
  Duration certificate_timeout = std::chrono::seconds(30);  // from finalizing to the certificate
};

struct Issued {
  std::string chain;  // PEM
  std::string key;    // PEM
};

// Runs an order from its beginning to the certificate (RFC 8555 §7.4 and 7.5), on the calling thread.
class Order {
 public:
  // Solvers are tried in their order; all of this outlives the order.
  Order(Client& client, const Signer& signer, const std::vector<std::shared_ptr<Solver>>& solvers,
        std::stop_token stop)
      : client_(client), signer_(signer), solvers_(solvers), stop_(std::move(stop)) {}

  std::expected<Issued, OrderFailure> run(const OrderOptions& options);
  // Hears of each step in a few words: "validating a.example".
  std::function<void(std::string)> on_step;
  // Hears of what went wrong and is tried again within the order.
  std::function<void(std::string)> on_setback;

 private:
  struct Pending;

  std::expected<HttpResponse, OrderFailure> begin(const OrderOptions& options);
  std::expected<HttpResponse, OrderFailure> create(const OrderOptions& options);
  std::map<std::string, Problem> forbidden(const OrderOptions& options, const Directory& directory) const;
  std::expected<void, OrderFailure> validate(const std::vector<std::string>& authorizations,
                                             const OrderOptions& options);
  Answered<Problem> outcome(const Pending& pending, TimePoint until);
  std::expected<Issued, OrderFailure> finalize(OrderState order, const std::string& url,
                                               const OrderOptions& options);
  Answered<HttpResponse> fetch_patiently(const std::string& url,
                                         std::string_view accept = "application/json");
  Answered<std::string> download(const std::string& url, const OrderOptions& options);
  void say(std::string step) const {
    if (on_step) on_step(std::move(step));
  }

  Client& client_;
  const Signer& signer_;
  const std::vector<std::shared_ptr<Solver>>& solvers_;
  std::stop_token stop_;
};

}  // namespace fairlead::acme
