#pragma once

#include "engine/base/fd.h"
#include "engine/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::net {

// Listening sockets that systemd opened before it started the program (sd_listen_fds(3)): FileDescriptorName=
// of the .socket unit names the entry point. They are kept for the life of the process, since systemd passes
// them once and an entry point may be closed and opened again. Belongs to one thread.
class Activation {
 public:
  enum class Kind : unsigned char { Stream, Datagram };

  Activation() = default;
  // Takes over what LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES announce to this process.
  static Activation from_environment();
  // `first` is the descriptor of the first name.
  Activation(int first, const std::vector<std::string>& names);

  // A descriptor of the only socket of that name and kind; empty when none was passed. Errors: several have
  // the name, or the one there is does not listen.
  Result<Fd> find(std::string_view name, Kind kind);
  // Names that were passed and never found.
  std::vector<std::string> unclaimed() const;

 private:
  struct Passed {
    std::string name;
    Fd socket;
    bool claimed = false;
  };
  std::vector<Passed> passed_;
};

}  // namespace fairlead::net
