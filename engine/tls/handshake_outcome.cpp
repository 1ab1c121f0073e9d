#include "engine/tls/pem.h"
#include "engine/tls/ticket_chain.h"
#include "engine/tls/tls_transport.h"

#include <fmt/format.h>
#include <openssl/bio.h>

#include <cstring>

// How a handshake ended, in words and facts.
namespace fairlead::tls {
namespace {

std::string name_text(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

const char* version_text(int version) {
  switch (version) {
    case TLS1_VERSION: return "1.0";
    case TLS1_1_VERSION: return "1.1";
    case TLS1_2_VERSION: return "1.2";
    case TLS1_3_VERSION: return "1.3";
    default: return "";
  }
}

}  // namespace

std::unexpected<Error> TlsTransport::refuse(int status, std::string_view why) const {
  const bool lost = status != 500;
  if (is_client())
    return fail(status, Fault::Upstream, fmt::format("TLS handshake with {}: {}", peer_.text(), why), lost);
  return fail(0, Fault::Client, fmt::format("TLS handshake: {}", why));
}

Result<> TlsTransport::handshake_failure(int code) const {
  if (error_) return refuse(502, std::strerror(error_));
  if (code == SSL_ERROR_SSL) {
    const long verified = SSL_get_verify_result(ssl_.get());
    const std::string reason = openssl_error();
    if (end_) return refuse(502, reason);
    if (verified == X509_V_OK) return refuse(500, reason);
    return refuse(
        500, fmt::format("the certificate is not accepted: {}", X509_verify_cert_error_string(verified)));
  }
  return refuse(502, "the peer closed the connection");
}

Agreed TlsTransport::agreed() const {
  Agreed out;
  out.version = version_text(SSL_version(ssl_.get()));
  if (const char* cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl_.get()))) out.cipher = cipher;
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  if (size) out.protocol.assign(reinterpret_cast<const char*>(protocol), size);
  if (const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)) out.server_name = name;
  X509* leaf = SSL_get0_peer_certificate(ssl_.get());
  if (!leaf) return out;
  out.peer_subject = name_text(X509_get_subject_name(leaf));
  out.peer_chain_pem = to_pem(leaf);
  // On the server's side the chain is without the leaf, on the client's with it.
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl_.get());
  for (int i = is_client() ? 1 : 0; i < sk_X509_num(chain); ++i)
    out.peer_chain_pem += to_pem(sk_X509_value(chain, i));
  if (!is_client() && SSL_session_reused(ssl_.get())) out.peer_chain_pem += kept_client_chain(ssl_.get());
  return out;
}

}  // namespace fairlead::tls
