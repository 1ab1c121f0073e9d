#include "cmd/fairlead/print.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace fairlead::cmd {

int print(std::string_view text, int status) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return status;
  // Who reads a long text through `head` leaves before its end, which is no failure.
  if (errno == EPIPE) return status;
  fmt::print(stderr, "fairlead: stdout: {}\n", std::strerror(errno));
  return status == 0 ? 1 : status;
}

}  // namespace fairlead::cmd
