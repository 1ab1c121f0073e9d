#pragma once

#include <openssl/ssl.h>

#include <string>

namespace fairlead::tls {

// Tickets keep the leaf of the client's certificates and not what stands behind it. It goes along as data of
// their own, so that servers are told the same chain by a resumed session as by the first one.
//
// Chains above 6 KiB are left out, so that a client can still send its ticket in a ClientHello that is read.
void keep_client_chain(SSL_CTX* context);

// As PEM text, without the leaf; empty when there is none.
std::string kept_client_chain(const SSL* ssl);

}  // namespace fairlead::tls
