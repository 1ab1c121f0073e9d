#pragma once

#include <expected>
#include <string>
#include <vector>

namespace fairlead::providers {

// Starts a command whose standard input and output are the other end of the returned socket; its errors go
// to ours. The command is not our child: it ends by itself when the socket closes.
std::expected<int, std::string> dial_stdio(const std::vector<std::string>& command);

}  // namespace fairlead::providers
