#pragma once

#include "engine/http/head.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::cmd {

// What whoami tells about itself and the client.
struct WhoamiFacts {
  std::string name;  // --name
  std::string hostname;
  std::vector<std::string> ips;
  std::string remote;  // "127.0.0.1:4711"

  // Of this machine; name and remote stay empty.
  static WhoamiFacts of_machine();
};

// The answer to /: who this is, then the request as Go's http.Request.Write prints it, without its body.
std::string whoami_text(const WhoamiFacts& facts, const http::RequestHead& request);
// The answer to /api.
std::string whoami_json(const WhoamiFacts& facts, const http::RequestHead& request);

// A parameter of the query, decoded; empty when absent.
std::string parameter(std::string_view query, std::string_view name);

// Bytes that /data?size=…&unit=… asks for: 1 when there is no size; units kb, mb, gb, tb, in any case.
std::uint64_t data_size(std::string_view query);
// The piece of such an answer that begins at `offset`: "|-ABC…|".
void append_data(std::string& out, std::uint64_t offset, std::size_t bytes, std::uint64_t size);

}  // namespace fairlead::cmd
