#pragma once

#include "cmd/fairlead/control_socket.h"
#include "engine/admin/view.h"
#include "engine/runtime/control.h"
#include "engine/runtime/record_sink.h"

#include <atomic>
#include <memory>
#include <mutex>

namespace fairlead::cmd {

class Certificates;
class Supervisor;

// What API, dashboard, metrics and the control socket show: the latest configuration in force and the states
// around it. Filled by the threads that know, read from any.
class Views {
 public:
  std::shared_ptr<const admin::Sources> sources(runtime::RecordSink& sink);
  // Both must outlive the last request.
  void watch(runtime::Control& control);
  void watch(const Supervisor& supervisor) { supervisor_.store(&supervisor); }
  // Before watch(Control): it hears of every configuration.
  void watch(Certificates& certificates) { certificates_.store(&certificates); }
  void begin_draining() { draining_.store(true); }

  ControlSocket::Commands commands();

 private:
  std::shared_ptr<const admin::AdminView> view() const;
  std::shared_ptr<const runtime::Snapshot> snapshot() const;
  std::vector<admin::ProviderState> providers() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const admin::AdminView> view_;       // guarded by mutex_
  std::shared_ptr<const runtime::Snapshot> snapshot_;  // the same; guarded by mutex_
  std::atomic<const Supervisor*> supervisor_ = nullptr;
  std::atomic<const runtime::Control*> control_ = nullptr;
  std::atomic<Certificates*> certificates_ = nullptr;
  std::atomic<bool> draining_ = false;
};

}  // namespace fairlead::cmd
