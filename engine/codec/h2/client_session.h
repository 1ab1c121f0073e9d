#pragma once

#include <cstdint>

struct nghttp2_session;

namespace fairlead::codec::h2 {

class ClientConnection;
class RequestBlock;

// The protocol engine of a connection, its SETTINGS and windows queued. Belongs to the caller.
nghttp2_session* open_client_session(ClientConnection& connection);

// The stream may send more at a time from now on.
void widen_window(nghttp2_session* session, std::int32_t id);

// Queues a request; its stream's number, or an error of nghttp2.
std::int32_t submit_request(nghttp2_session* session, const RequestBlock& head, bool has_body);

}  // namespace fairlead::codec::h2
