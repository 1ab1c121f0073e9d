#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace fairlead::tls {

// OpenSSL's objects, owned.
template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

inline void free_chain(STACK_OF(X509) * chain) { sk_X509_pop_free(chain, X509_free); }

using ContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Freed<SSL_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), Freed<free_chain>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using StorePtr = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;

// What OpenSSL last complained about on this thread, in its words; empties its queue.
std::string openssl_error();

}  // namespace fairlead::tls
