#pragma once

#include "engine/http/body.h"

// The two translations of bodies between gRPC-Web and gRPC (the gRPC project's PROTOCOL-WEB).
namespace fairlead::middleware {

// The bytes behind base64, which may be several padded pieces one after the other. Error {400, Client} when
// it is none.
http::BodyPtr from_base64(http::BodyPtr inner);

// A gRPC response body with its trailers behind it as a last frame; `as_text`: in base64, padded chunk by
// chunk. `inner` may be null. `sent` gets the call's status as well, for the access log and the counters; it
// outlives the body.
http::BodyPtr to_grpc_web(http::BodyPtr inner, bool as_text, http::Fields& sent);

}  // namespace fairlead::middleware
