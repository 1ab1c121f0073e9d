#pragma once

#include "engine/base/fd.h"

#include <functional>
#include <mutex>
#include <vector>

namespace fairlead::event {

// Messages to one loop from any thread. The lock is held for a push or a swap only, and never on the
// request path.
class Mailbox {
 public:
  using Message = std::move_only_function<void()>;

  Mailbox();

  // Any thread. Wakes the loop when it sleeps.
  void post(Message message);
  // The loop's thread: runs what has arrived, in order.
  void run();
  int fd() const { return event_.get(); }

 private:
  Fd event_;
  std::mutex mutex_;
  std::vector<Message> messages_;
};

}  // namespace fairlead::event
