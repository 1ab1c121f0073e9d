#pragma once

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/net/activation.h"
#include "engine/runtime/listen_names.h"
#include "engine/runtime/udp_counts.h"
#include "engine/runtime/worker.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::runtime {

// Why entry points are opened: the last is for those that could not be opened before.
enum class Occasion : unsigned char { Start, Change, Again };

// Brings snapshots and entry points to the workers. Belongs to the control thread, which it may block.
class Publisher {
 public:
  explicit Publisher(std::vector<std::unique_ptr<Worker>>& workers)
      : workers_(workers), activation_(net::Activation::from_environment()) {}

  // Returns when every worker serves the new snapshot.
  void publish(const std::shared_ptr<const Snapshot>& snapshot);
  void states_changed(const std::vector<upstream::SetId>& sets);

  // Opens the listeners of entry points that are new or moved, and drains those that are gone. A listener
  // that cannot be opened fails alone, and an entry point that cannot move stays where it is; what is wrong
  // is returned, in sentences.
  std::vector<std::string> apply_entry_points(const model::Static& install, Occasion occasion);
  // Where an entry point listens; 0 when it does not.
  std::uint16_t port(const std::string& name) const;
  const UdpCounts& udp_counts() const { return udp_counts_; }

  // Each entry point accepts for its requestAcceptGraceTimeout; then its connections end with the request
  // they are at, and what is left after its graceTimeOut is closed. Returns when nothing is open any more,
  // false when something had to be closed.
  bool drain(const model::Static& install);

 private:
  struct Listening {
    std::string address;
    bool reuse_port = false;
    std::uint16_t port = 0;
    Fd socket;  // of TCP; those of UDP are the workers' own
  };
  // An entry point whose port is taken and that nobody serves yet.
  struct Opened {
    std::string name;
    Listening listening;
    std::vector<Fd> datagrams;
  };

  void on_all(const std::function<void(Worker&)>& action);
  void close_listener(const std::string& name);  // if there is one
  std::string heir_of(const std::string& name, const model::Static& install) const;
  bool is_served(const std::string& name, const model::EntryPoint& options) const;
  Result<Opened> open_in_exchange(const model::Static& install, const std::string& name, Error refused);
  bool all_drained(const std::string& name);  // empty: all, and what runs without a connection
  bool finish(TimePoint until);
  Result<Opened> open(const std::string& name, const model::EntryPoint& options,
                      const model::ListenAddress& address);
  Result<Opened> open_tcp(const std::string& name, const model::EntryPoint& options,
                          const model::ListenAddress& address);
  static Opened listening_on(Fd socket, const std::string& name, const model::EntryPoint& options);
  Result<Opened> open_udp(const std::string& name, const model::EntryPoint& options,
                          const model::ListenAddress& address);
  // One for each worker, or one alone that systemd passed.
  Result<std::vector<Fd>> datagram_sockets(const std::string& name, const model::EntryPoint& options,
                                           const model::ListenAddress& address);
  // Hands its sockets to the workers, which accept from now on.
  void serve(Opened&& opened);
  void say_unclaimed();

  std::vector<std::unique_ptr<Worker>>& workers_;
  std::map<std::string, Listening> listening_;
  net::Activation activation_;
  bool said_unclaimed_ = false;
  TimePoint exchange_again_{};
  ListenNames names_;
  TimePoint patience_{};  // with name servers
  bool asks_anew_ = false;
  UdpCounts udp_counts_;
};

}  // namespace fairlead::runtime
