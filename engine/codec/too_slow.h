#pragma once

#include "engine/base/result.h"

namespace fairlead::codec {

// A response that ends before it was complete. `write_timeout`: its whole time is over, whoever was slow;
// else the client took none of its bytes for a minute.
inline Error too_slow(bool write_timeout) {
  return {499, Fault::Client, false,
          write_timeout
              ? "the response was not complete within writeTimeout: its client or its server is too slow"
              : "the client took no byte of the response for 60 s"};
}

}  // namespace fairlead::codec
