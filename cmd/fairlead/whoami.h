#pragma once

#include <span>
#include <string>

namespace fairlead::cmd {

// `fairlead whoami`: a small server that tells who it is and what it was asked, as traefik/whoami does. Flags
// --port, --name and --verbose, also with one dash; WHOAMI_PORT_NUMBER and WHOAMI_NAME stand for the first
// two.
// `--cert FILE --key FILE` serve HTTPS; with `--cacert FILE` clients must show a certificate of that
// authority.
// `--check PORT` asks a running one for its health instead: 0 when it answers 200. For images without a
// shell.
//
// The exit status: 0 after SIGTERM or SIGINT, 1 for a failure, 2 for a command line that cannot be used.
int whoami(std::span<const std::string> arguments);

}  // namespace fairlead::cmd
