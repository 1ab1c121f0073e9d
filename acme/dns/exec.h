#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

#include <string>
#include <vector>

namespace fairlead::acme::dns {

// A program of the user's that makes the records: EXEC_PATH present|cleanup <fqdn> <value>, or with
// EXEC_MODE=RAW present|cleanup -- <domain> <token> <key authorization>.
Configured<MadeProvider> make_exec(Settings settings);

// Runs a program, looked up in PATH, and logs what it prints; blocks. A stop ends the program and what it
// started. Errors: it cannot be started, its status is not 0, or it took longer than `patience`.
Result<> run_program(const std::vector<std::string>& arguments, Duration patience, std::stop_token stop);

}  // namespace fairlead::acme::dns
