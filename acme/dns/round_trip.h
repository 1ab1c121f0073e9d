#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"

#include <stop_token>
#include <string>
#include <string_view>

namespace fairlead::acme::dns {

// Sends one DNS message to "192.0.2.1:53" and returns the answer, for messages that are not questions: over
// TCP (RFC 7766), and over UDP where the server does not take TCP. Blocks.
Result<std::string> round_trip(const std::string& server, std::string_view message, Duration timeout,
                               std::stop_token stop);

}  // namespace fairlead::acme::dns
