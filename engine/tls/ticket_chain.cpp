#include "engine/tls/ticket_chain.h"

#include "engine/tls/pem.h"
#include "engine/tls/pointers.h"

#include <cstddef>

namespace fairlead::tls {
namespace {

constexpr std::size_t kMostBytes = 6 * 1024;

// One certificate after the other, in DER.
std::string in_der(const STACK_OF(X509) * chain) {
  std::string out;
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(sk_X509_value(chain, i), &der);
    if (size > 0) out.append(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
  }
  return out;
}

// Of a session that was resumed there is no chain to be had: what its ticket held is copied by the library.
int on_new_ticket(SSL* ssl, void*) {
  const std::string der = in_der(SSL_get_peer_cert_chain(ssl));
  if (!der.empty() && der.size() <= kMostBytes)
    SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), der.data(), der.size());
  return 1;
}

}  // namespace

void keep_client_chain(SSL_CTX* context) {
  SSL_CTX_set_session_ticket_cb(context, on_new_ticket, nullptr, nullptr);
}

std::string kept_client_chain(const SSL* ssl) {
  SSL_SESSION* const session = SSL_get_session(ssl);
  void* data = nullptr;
  std::size_t size = 0;
  if (!session || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1) return {};
  const auto* at = static_cast<const unsigned char*>(data);
  const unsigned char* const end = at + size;
  std::string out;
  while (at < end) {
    const X509Ptr certificate(d2i_X509(nullptr, &at, end - at));
    if (!certificate) break;
    out += to_pem(certificate.get());
  }
  return out;
}

}  // namespace fairlead::tls
