#pragma once

#include "engine/base/clock.h"
#include "engine/observe/record.h"

#include <string_view>

namespace fairlead::http {
class Fields;
}

namespace fairlead::observe {

class Trace;

// What is known when an exchange has ended. Views: valid during the call that gets it. Heads may be null.
struct Facts {
  const Record& record;
  WallTime begun;                          // of record.begun
  const http::Fields* request = nullptr;   // as the middlewares left it, as Traefik logs it
  const http::Fields* origin = nullptr;    // as the server sent it; kept only when somebody asked for it
  const http::Fields* response = nullptr;  // as the client got it
  std::string_view client_ip = {};         // text of record.client.ip; empty: not made yet
  std::string_view upgrade = {};           // the protocol that the client asked to switch to
  const Trace* trace = nullptr;            // null: not traced
};

}  // namespace fairlead::observe
