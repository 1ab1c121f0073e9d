#pragma once

#include "engine/codec/h1/server.h"

#include <cstdint>

namespace fairlead::codec::h2 {

// How an entry point serves HTTP/2.
struct ServerSettings {
  h1::ServerSettings common;  // limits and times are the same for every version of HTTP
  std::uint32_t max_concurrent_streams = 250;
  std::uint32_t decoder_table = 4096;  // bytes of the HPACK table of requests
  std::uint32_t encoder_table = 4096;  // of answers
};

}  // namespace fairlead::codec::h2
