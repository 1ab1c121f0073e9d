#pragma once

#include "acme/acme.h"
#include "cmd/fairlead/control_socket.h"
#include "engine/admin/view.h"
#include "engine/runtime/control.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::cmd {

// Ties the certificate wing to the engine: configurations go in, certificates and challenges go into the
// tables of all workers, and what is known is shown.
class Certificates {
 public:
  explicit Certificates(runtime::Control& control);

  // A configuration that is in force; on the control thread.
  void update(const runtime::Snapshot& snapshot);
  void stop() { acme_.stop(); }

  // Any thread.
  std::optional<std::string> http01(std::string_view token) const { return acme_.http01(token); }
  std::vector<admin::CertificateView> views() const;
  std::vector<model::Reason> reasons(std::string_view router) const;
  // `certs list`, `certs renew NAME` and so on, for the control socket.
  std::string command(std::string_view arguments);

 private:
  tls::Certificates& table_;
  acme::Acme acme_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const model::Dynamic> dynamic_;
};

// Logs what keeps certificate resolvers from obtaining anything, and asks no authority.
void say_what_keeps_resolvers_from_work(const model::Static& install);

}  // namespace fairlead::cmd
