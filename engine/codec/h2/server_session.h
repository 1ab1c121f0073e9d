#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>

namespace fairlead::codec::h2 {

class ServerConnection;
class SessionMemory;
struct ServerSettings;

// Windows of requests: what waits in memory while nobody reads (architecture: back-pressure).
inline constexpr std::int32_t kStreamWindow = 256 * 1024;
inline constexpr std::int32_t kConnectionWindow = 1024 * 1024;

// nghttp2's half of a connection, with our SETTINGS queued. Freed by nghttp2_session_del, before `memory`.
nghttp2_session* new_server_session(ServerConnection& connection, const ServerSettings& settings,
                                    SessionMemory& memory);

// Where the answer's body comes from; `stream` is the ServerStream.
nghttp2_data_provider body_of(void* stream);

}  // namespace fairlead::codec::h2
