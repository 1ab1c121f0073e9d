#include "cmd/fairlead/print.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>

namespace fairlead::cmd {

int print(std::string_view text, int status) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return status;
  // Who reads a long text through `head` leaves before its end, which is no failure.
  if (errno == EPIPE) return status;
  fmt::print(stderr, "fairlead: stdout: {}\n", std::strerror(errno));
  return status == 0 ? 1 : status;
}

void append_one_line(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f)
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    else
      out += c;
  }
}

std::string one_line(std::string_view text) {
  std::string out;
  append_one_line(out, text);
  return out;
}

}  // namespace fairlead::cmd
