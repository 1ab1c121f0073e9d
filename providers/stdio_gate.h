#pragma once

#include <string>
#include <vector>

namespace fairlead::providers {

// A unix socket behind which a command speaks on its standard input and output, one process per connection
// (ssh … docker system dial-stdio). curl has no transport of that kind, but it can connect to a socket.
class StdioGate {
 public:
  explicit StdioGate(std::vector<std::string> command);
  ~StdioGate();
  StdioGate(const StdioGate&) = delete;
  StdioGate& operator=(const StdioGate&) = delete;

  // Where to connect after spawn(); in a folder that only this user can enter.
  const std::string& path() const { return path_; }

  // Starts a process that takes the next connection. It is not our child and ends when the connection does.
  // False when there is no process or no socket.
  bool spawn() const;

  // The last line that a process wrote to its standard error since the last spawn(); empty when none did.
  std::string last_words() const;

 private:
  const std::vector<std::string> command_;
  std::string folder_, path_;
  int listener_ = -1;
  int words_[2] = {-1, -1};  // pipe from the standard error of the processes
};

}  // namespace fairlead::providers
