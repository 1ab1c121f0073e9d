#include "engine/event/mailbox.h"

#include "engine/base/assert.h"

#include <sys/eventfd.h>

#include <cstdint>

namespace fairlead::event {

Mailbox::Mailbox() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  FL_ASSERT(event_, "an eventfd can be had at start");
}

void Mailbox::post(Message message) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = messages_.empty();
    messages_.push_back(std::move(message));
  }
  if (!was_empty) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

void Mailbox::run() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(event_.get(), &count, sizeof count);
  std::vector<Message> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(messages_);
  }
  for (Message& message : batch) message();
}

}  // namespace fairlead::event
