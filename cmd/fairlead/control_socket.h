#pragma once

#include "engine/base/fd.h"
#include "engine/base/result.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace fairlead::cmd {

// Where the local control socket is: $XDG_RUNTIME_DIR/fairlead.sock, else /run/fairlead.sock.
std::string default_control_path();

// The socket that commands on the same machine use: only its owner may connect (mode 0600). A client sends
// lines `command arguments`, each is answered by one line of JSON. It has a thread of its own.
class ControlSocket {
 public:
  // Gets what stands behind the command's name; answers one line of JSON, without its end. Any thread.
  using Command = std::function<std::string(std::string_view arguments)>;
  using Commands = std::map<std::string, Command, std::less<>>;

  // A socket that a dead instance left behind is replaced; one that answers is an error.
  static Result<std::unique_ptr<ControlSocket>> open(std::string path, Commands commands);
  // Removes the socket.
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  const std::string& path() const { return path_; }

 private:
  ControlSocket(std::string path, Commands commands, Fd listener);
  void run();
  std::string answer(std::string_view line) const;

  const std::string path_;
  const Commands commands_;
  Fd listener_;
  Fd stop_;  // eventfd
  std::thread thread_;
};

// The client's side: sends one line and returns the answer without its end.
Result<std::string> ask_control(const std::string& path, std::string_view line);

}  // namespace fairlead::cmd
