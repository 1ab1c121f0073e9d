#include "engine/tls/client_context.h"

#include "engine/base/strings.h"
#include "engine/net/address.h"
#include "engine/tls/certificate.h"
#include "engine/tls/context.h"
#include "engine/tls/pem.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace fairlead::tls {
namespace {

// The alternative names of one kind in a certificate.
std::vector<std::string> names_of(X509* certificate, int kind) {
  std::vector<std::string> out;
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type != kind) continue;
    const ASN1_STRING* value = kind == GEN_URI ? name->d.uniformResourceIdentifier : name->d.dNSName;
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                     static_cast<std::size_t>(ASN1_STRING_length(value)));
  }
  return out;
}

bool has_san(X509* certificate, const model::PeerSan& san) {
  const bool uri = san.type == "URI";
  const auto names = names_of(certificate, uri ? GEN_URI : GEN_DNS);
  return std::ranges::any_of(
      names, [&](const std::string& name) { return uri ? name == san.value : iequals(name, san.value); });
}

}  // namespace

Configured<std::shared_ptr<const ClientContext>> ClientContext::make(const model::ServersTransport& options,
                                                                     Files& files) {
  ERR_clear_error();
  std::shared_ptr<ClientContext> made(new ClientContext);
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made->context_.get();
  if (!context) return misconfigured({}, openssl_error());
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  ClientSessions::gather_from(context);
  const int lowest = version_number(options.min_version);
  const int highest = version_number(options.max_version);
  SSL_CTX_set_min_proto_version(context, lowest    ? lowest
                                         : highest ? std::min(highest, TLS1_2_VERSION)
                                                   : TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, highest);
  std::string ciphers = "DEFAULT:!aNULL:!eNULL";
  if (!options.cipher_suites.empty()) {
    const auto named = cipher_list(options.cipher_suites, made->notices_);
    if (!named) return std::unexpected(named.error());
    if (!named->empty()) ciphers = *named;
  }
  const bool old = (lowest && lowest < TLS1_2_VERSION) || (highest && highest < TLS1_2_VERSION);
  if (old) ciphers += ":@SECLEVEL=0";
  if (SSL_CTX_set_ciphersuites(context, kCiphersOfTls13) != 1 ||
      SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1)
    return misconfigured("cipherSuites", openssl_error());
  if (auto ok = made->trust(options.root_cas, files); !ok) return std::unexpected(ok.error());
  if (auto ok = made->identify(options.certificates, files); !ok) return std::unexpected(ok.error());
  made->server_name_ = options.server_name;
  made->uri_ = options.peer_cert_uri;
  made->sans_ = options.peer_cert_sans;
  made->insecure_ = options.insecure_skip_verify;
  // With names to look for, the chain is verified even where the host's name is not.
  const bool verifies = !made->insecure_ || !made->uri_.empty() || !made->sans_.empty();
  SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return made;
}

Configured<std::shared_ptr<const ClientContext>> ClientContext::make(const model::TcpClientTls& options,
                                                                     Files& files) {
  model::ServersTransport same;
  same.server_name = options.server_name;
  same.insecure_skip_verify = options.insecure_skip_verify;
  same.root_cas = options.root_cas;
  same.certificates = options.certificates;
  same.peer_cert_uri = options.peer_cert_uri;
  same.peer_cert_sans = options.peer_cert_sans;
  return make(same, files);
}

Configured<> ClientContext::trust(const std::vector<std::string>& root_cas, Files& files) {
  if (root_cas.empty()) {
    SSL_CTX_set_default_verify_paths(context_.get());
    return {};
  }
  StorePtr store(X509_STORE_new());
  for (const std::string& file : root_cas) {
    files.version(file);
    const auto contents = files.read(file);
    if (!contents) return misconfigured("rootCAs", contents.error().what);
    const auto authorities = read_certificates(*contents);
    if (!authorities)
      return misconfigured("rootCAs", fmt::format("{}: {}", in_words(file), authorities.error().what));
    for (const X509Ptr& authority : *authorities) X509_STORE_add_cert(store.get(), authority.get());
  }
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_cert_store(context_.get(), store.release());
  return {};
}

Configured<> ClientContext::identify(const std::vector<model::KeyPair>& certificates, Files& files) {
  for (const model::KeyPair& pair : certificates) {
    files.version(pair.cert_file);
    files.version(pair.key_file);
    const auto chain = files.read(pair.cert_file);
    if (!chain) return misconfigured("certificates.certFile", chain.error().what);
    const auto key = files.read(pair.key_file);
    if (!key) return misconfigured("certificates.keyFile", key.error().what);
    const auto certificate = Certificate::from_pem(*chain, *key);
    if (!certificate)
      return misconfigured("certificates." + certificate.error().path, certificate.error().what);
    if (!(*certificate)->use(context_.get())) return misconfigured("certificates", openssl_error());
  }
  return {};
}

Result<SslPtr> ClientContext::begin(const std::string& host) const {
  ERR_clear_error();
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return fail(500, Fault::Proxy, fmt::format("TLS: {}", openssl_error()));
  SSL_set_connect_state(ssl.get());
  const std::string& name = server_name_.empty() ? host : server_name_;
  const bool address = net::Ip::parse(name).has_value();
  if (!address) SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  ClientSessions::use(sessions_, ssl.get(), host);
  if (insecure_) return ssl;
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str())
                          : X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size());
  if (set != 1) return fail(500, Fault::Proxy, fmt::format("TLS: {} is no name to verify", quoted(name)));
  return ssl;
}

Result<> ClientContext::check(SSL* ssl) const {
  if (uri_.empty() && sans_.empty()) return {};
  X509* leaf = SSL_get0_peer_certificate(ssl);
  if (leaf && !uri_.empty() && !has_san(leaf, {"URI", uri_}))
    return fail(500, Fault::Upstream,
                fmt::format("TLS: the server's certificate lacks the URI {}", quoted(uri_)));
  if (leaf && (sans_.empty() ||
               std::ranges::any_of(sans_, [&](const model::PeerSan& san) { return has_san(leaf, san); })))
    return {};
  return fail(500, Fault::Upstream, "TLS: the server's certificate has none of the names in peerCertSANs");
}

}  // namespace fairlead::tls
