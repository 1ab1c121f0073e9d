#pragma once

#include "engine/event/loop.h"

namespace fairlead::runtime {

// What an entry point of a worker keeps in its list: a client's connection, from accept to its end, whatever
// it turns out to speak. It leaves by WorkerEntryPoint::remove().
class Connection : public event::Destroyable {
 public:
  virtual void start() = 0;
  // No further work but what runs.
  virtual void drain() = 0;
  // At once, whatever runs; it has left the list when this returns.
  virtual void close() = 0;

  // Links of the entry point's list.
  Connection* next = nullptr;
  Connection* previous = nullptr;
};

}  // namespace fairlead::runtime
