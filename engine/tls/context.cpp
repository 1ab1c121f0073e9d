#include "engine/tls/context.h"

#include "engine/base/strings.h"
#include "engine/tls/pem.h"
#include "engine/tls/ticket_chain.h"
#include "engine/tls/ticket_keys.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace fairlead::tls {
namespace {

// As Go orders them: forward secrecy always, authenticated encryption first.
constexpr const char* kDefaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";
constexpr const char* kDefaultCurves = "X25519:P-256:P-384:P-521";

int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
              int issues) {
  constexpr int kGood = 1, kRenew = 2;
  const int found =
      TicketKeys::shared().on_ticket(name, iv, cipher, mac, issues == 1, std::chrono::steady_clock::now());
  // Clients use a ticket of TLS 1.3 once (RFC 8446 §C.4): without a new one every second connection would be
  // a full handshake.
  return found == kGood && issues == 0 && SSL_version(ssl) == TLS1_3_VERSION ? kRenew : found;
}

// How strong our own chain is signed is for clients to judge, as with Go: OpenSSL would refuse each handshake
// over an old cross-signature (SHA-1), and over an RSA key of 1,024 bits, which some device may insist on.
int judge_strength(const SSL* ssl, const SSL_CTX* context, int operation, int bits, int nid, void* other,
                   void* extra) {
  constexpr int kRsa1024 = 80;  // security bits
  static const auto by_level = [] {
    const ContextPtr plain(SSL_CTX_new(TLS_method()));
    return SSL_CTX_get_security_callback(plain.get());
  }();
  const bool own_key = operation == SSL_SECOP_EE_KEY || operation == SSL_SECOP_CA_KEY;
  if (operation == SSL_SECOP_CA_MD || (own_key && bits >= kRsa1024)) return 1;
  return by_level(ssl, context, operation, bits, nid, other, extra);
}

// Any certificate will do: the owner of the options only wants to see one.
int accept_any(int, X509_STORE_CTX*) { return 1; }

constexpr std::pair<std::string_view, const char*> kCurves[] = {
    {"curvep256", "P-256"},
    {"secp256r1", "P-256"},
    {"curvep384", "P-384"},
    {"secp384r1", "P-384"},
    {"curvep521", "P-521"},
    {"secp521r1", "P-521"},
    {"x25519", "X25519"},
    {"x25519mlkem768", "X25519MLKEM768"},
    {"secp256r1mlkem768", "SecP256r1MLKEM768"},
    {"secp384r1mlkem1024", "SecP384r1MLKEM1024"},
};

}  // namespace

Configured<ServerContextPtr> ServerContext::make(const std::string& name, const model::TlsOptions& options,
                                                 Files& files, const std::vector<std::string>& protocols,
                                                 std::vector<std::string>& notices) {
  ERR_clear_error();
  std::shared_ptr<ServerContext> made(new ServerContext);
  made->name_ = name;
  made->context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = made->context_.get();
  if (!context) return misconfigured({}, openssl_error());
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  // A chain is sent as it was given; OpenSSL would look for one in each handshake of a lone certificate.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_security_callback(context, judge_strength);
  SSL_CTX_set_max_early_data(context, 0);
  if (auto ok = made->set_versions(options); !ok) return std::unexpected(ok.error());
  if (auto ok = made->set_ciphers(options, notices); !ok) return std::unexpected(ok.error());
  if (auto ok = made->set_curves(options, notices); !ok) return std::unexpected(ok.error());
  if (auto ok = made->set_client_auth(options.client_auth, files); !ok) return std::unexpected(ok.error());
  made->set_protocols(options, protocols, notices);
  made->sni_strict_ = options.sni_strict;
  if (options.disable_session_tickets) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
  } else {
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    if (made->client_rule_ != ClientRule::Ignores) keep_client_chain(context);
  }
  made->key_material_ +=
      fmt::format("strict {} tickets {}", options.sni_strict, !options.disable_session_tickets);
  // A session begun under one set of options is worth nothing under another (CVE-2025-23419): client
  // certificates are only looked at in full handshakes.
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(made->key_material_.data()), made->key_material_.size(),
         digest.data());
  SSL_CTX_set_session_id_context(context, digest.data(), digest.size());
  for (int i = 0; i < 8; ++i) made->key_ = made->key_ << 8 | digest[static_cast<std::size_t>(i)];
  made->key_material_ = {};
  return made;
}

Configured<> ServerContext::set_versions(const model::TlsOptions& options) {
  const int lowest = version_number(options.min_version);
  const int highest = version_number(options.max_version);
  min_version_ = lowest ? lowest : TLS1_2_VERSION;
  if (highest && highest < min_version_) {
    if (lowest) return misconfigured("maxVersion", "is below minVersion");
    min_version_ = highest;
  }
  SSL_CTX_set_min_proto_version(context_.get(), min_version_);
  SSL_CTX_set_max_proto_version(context_.get(), highest);
  key_material_ += fmt::format("versions {} {} ", min_version_, highest);
  return {};
}

Configured<> ServerContext::set_ciphers(const model::TlsOptions& options, std::vector<std::string>& notices) {
  std::string list = kDefaultCiphers;
  if (!options.cipher_suites.empty()) {
    auto named = cipher_list(options.cipher_suites, notices);
    if (!named) return std::unexpected(named.error());
    if (!named->empty()) list = std::move(*named);
  }
  // MD5 with SHA-1, the only signature of TLS 1.0 and 1.1, needs the lowest level of OpenSSL 3.
  if (min_version_ < TLS1_2_VERSION) list += ":@SECLEVEL=0";
  if (SSL_CTX_set_ciphersuites(context_.get(), kCiphersOfTls13) != 1 ||
      SSL_CTX_set_cipher_list(context_.get(), list.c_str()) != 1)
    return misconfigured("cipherSuites", fmt::format("none is left ({})", openssl_error()));
  key_material_ += list + ' ';
  return {};
}

Configured<> ServerContext::set_curves(const model::TlsOptions& options, std::vector<std::string>& notices) {
  std::string list;
  for (const std::string& wanted : options.curve_preferences) {
    const auto* known =
        std::ranges::find(kCurves, lower(wanted), &std::pair<std::string_view, const char*>::first);
    if (known == std::end(kCurves))
      return misconfigured("curvePreferences", fmt::format("there is no curve {}", quoted(wanted)));
    if (SSL_CTX_set1_groups_list(context_.get(), known->second) != 1) {
      ERR_clear_error();
      notices.push_back(
          fmt::format("curvePreferences: {} is not in this TLS library and is skipped", wanted));
      continue;
    }
    if (!list.empty()) list += ':';
    list += known->second;
  }
  if (list.empty() && !options.curve_preferences.empty())
    return misconfigured("curvePreferences", "none is left");
  if (list.empty()) list = kDefaultCurves;
  if (SSL_CTX_set1_groups_list(context_.get(), list.c_str()) != 1)
    return misconfigured("curvePreferences", openssl_error());
  key_material_ += list + ' ';
  return {};
}

Configured<> ServerContext::set_client_auth(const model::ClientAuth& options, Files& files) {
  std::string type = options.client_auth_type;
  if (type.empty()) type = options.ca_files.empty() ? "NoClientCert" : "RequireAndVerifyClientCert";
  key_material_ += type + ' ';
  StorePtr store(X509_STORE_new());
  const std::unique_ptr<STACK_OF(X509_NAME), Freed<[](STACK_OF(X509_NAME) * list) {
                          sk_X509_NAME_pop_free(list, X509_NAME_free);
                        }>>
      names(sk_X509_NAME_new_null());
  for (const std::string& file : options.ca_files) {
    const auto contents = files.read(file);
    if (!contents) return misconfigured("clientAuth.caFiles", contents.error().what);
    const auto authorities = read_certificates(*contents);
    if (!authorities)
      return misconfigured("clientAuth.caFiles",
                           fmt::format("{}: {}", in_words(file), authorities.error().what));
    for (const X509Ptr& authority : *authorities) {
      X509_STORE_add_cert(store.get(), authority.get());
      sk_X509_NAME_push(names.get(), X509_NAME_dup(X509_get_subject_name(authority.get())));
    }
    key_material_ += *contents;
  }
  if (type == "NoClientCert") return {};
  const bool demands = type == "RequireAnyClientCert" || type == "RequireAndVerifyClientCert";
  const bool verifies = type == "VerifyClientCertIfGiven" || type == "RequireAndVerifyClientCert";
  if (!verifies && !demands && type != "RequestClientCert")
    return misconfigured("clientAuth.clientAuthType", fmt::format("there is no type {}", quoted(type)));
  if (verifies && options.ca_files.empty())
    return misconfigured("clientAuth.caFiles", fmt::format("{} needs them", type));
  client_rule_ = demands ? ClientRule::Demands : ClientRule::Asks;
  const int mode = SSL_VERIFY_PEER | (demands ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
  SSL_CTX_set_verify(context_.get(), mode, verifies ? nullptr : accept_any);
  // An authority may be an intermediate one, as in Go's pools.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set1_verify_cert_store(context_.get(), store.get());
  SSL_CTX_set_client_CA_list(context_.get(), SSL_dup_CA_list(names.get()));
  return {};
}

void ServerContext::set_protocols(const model::TlsOptions& options, const std::vector<std::string>& speaks,
                                  std::vector<std::string>& notices) {
  for (const std::string& protocol : options.alpn_protocols) {
    if (std::ranges::find(speaks, protocol) == speaks.end()) continue;
    alpn_ += static_cast<char>(protocol.size());
    alpn_ += protocol;
  }
  if (alpn_.empty() && !options.alpn_protocols.empty() && !speaks.empty()) {
    notices.push_back(fmt::format("alpnProtocols: none of them is HTTP: {} is offered where HTTP is served",
                                  speaks.front()));
    alpn_ += static_cast<char>(speaks.front().size());
    alpn_ += speaks.front();
  }
  key_material_ += alpn_ + ' ';
  SSL_CTX_set_alpn_select_cb(context_.get(), choose_protocol, this);
}

int ServerContext::choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                                   const unsigned char* offered, unsigned int size, void* self) {
  const std::string& ours = static_cast<ServerContext*>(self)->alpn_;
  if (ours.empty()) return SSL_TLSEXT_ERR_NOACK;  // an empty alpnProtocols: none is agreed on
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned int>(ours.size()), offered,
                            size) != OPENSSL_NPN_NEGOTIATED) {
    // As in Go: where only HTTP/2 is offered, a client of HTTP/1.1 is served as one that does not ask.
    const std::string_view theirs(reinterpret_cast<const char*>(offered), size);
    if (ours.find("\x02h2") != std::string::npos && theirs.find("\x08http/1.1") != std::string_view::npos)
      return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol (RFC 7301 §3.2)
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::expected<SslPtr, Refusal> begin_server(const ServerContext& context, const ClientHello& hello,
                                            const CertificateTable& certificates, const std::string& local) {
  const std::string& name = hello.server_name.empty() ? local : hello.server_name;
  const Identity* found = certificates.find(name);
  if (!found && context.sni_strict())
    return std::unexpected(
        Refusal{SSL_AD_UNRECOGNIZED_NAME,
                fmt::format("no certificate for {} and sniStrict is set",
                            hello.server_name.empty() ? "a client without SNI" : quoted(name))});
  SslPtr ssl(SSL_new(context.get()));
  if (!ssl) return std::unexpected(Refusal{SSL_AD_INTERNAL_ERROR, openssl_error()});
  bool usable = false;
  if (found) {
    for (const CertificatePtr& certificate : {found->ecdsa, found->rsa})
      if (certificate) usable |= certificate->use(ssl.get());
  } else if (certificates.fallback()) {
    usable = certificates.fallback()->use(ssl.get());
  }
  if (!usable)
    return std::unexpected(Refusal{SSL_AD_INTERNAL_ERROR,
                                   fmt::format("the certificate for {}: {}", quoted(name), openssl_error())});
  SSL_set_accept_state(ssl.get());
  return ssl;
}

std::expected<SslPtr, Refusal> begin_challenge(const CertificatePtr& answer) {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(
        made,
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned int, void*) {
          *out = reinterpret_cast<const unsigned char*>(kAcmeProtocol.data());
          *size = static_cast<unsigned char>(kAcmeProtocol.size());
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    return made;
  }();
  SslPtr ssl(SSL_new(context));
  if (!ssl || !answer->use(ssl.get()))
    return std::unexpected(Refusal{SSL_AD_INTERNAL_ERROR, openssl_error()});
  SSL_set_accept_state(ssl.get());
  return ssl;
}

std::string alert_record(int alert) {
  return {'\x15', '\x03', '\x03', '\0', '\x02', '\x02', static_cast<char>(alert)};
}

int version_number(std::string_view name) {
  if (name == "VersionTLS10") return TLS1_VERSION;
  if (name == "VersionTLS11") return TLS1_1_VERSION;
  if (name == "VersionTLS12") return TLS1_2_VERSION;
  if (name == "VersionTLS13") return TLS1_3_VERSION;
  return 0;
}

Configured<std::string> cipher_list(const std::vector<std::string>& names,
                                    std::vector<std::string>& notices) {
  // Every suite of the library by its IANA name.
  static const std::vector<std::pair<std::string, std::string>> known = [] {
    std::vector<std::pair<std::string, std::string>> out;
    const ContextPtr all(SSL_CTX_new(TLS_method()));
    SSL_CTX_set_cipher_list(all.get(), "ALL:!aNULL:!eNULL:!RC4:!3DES:!EXPORT:@SECLEVEL=0");
    const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(all.get());
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
      const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(ciphers, i);
      if (const char* standard = SSL_CIPHER_standard_name(cipher))
        out.emplace_back(standard, SSL_CIPHER_get_name(cipher));
    }
    return out;
  }();
  // In Go's list, and not to be had here: broken ciphers that no option brings back.
  static constexpr std::string_view kRefused[] = {
      "TLS_RSA_WITH_RC4_128_SHA",         "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
      "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
      "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
  };
  std::string list;
  bool only_newest = true;
  for (const std::string& wanted : names) {
    const std::string name = upper(trim(wanted));
    // Go's older names leave out the hash.
    const std::string full = name.ends_with("CHACHA20_POLY1305") ? name + "_SHA256" : name;
    if (name == "TLS_FALLBACK_SCSV") continue;
    if (std::ranges::find(kRefused, name) != std::end(kRefused)) {
      notices.push_back(fmt::format("cipherSuites: {} is unsafe and is skipped", wanted));
      only_newest = false;
      continue;
    }
    const auto found = std::ranges::find(known, full, &std::pair<std::string, std::string>::first);
    if (found == known.end())
      return misconfigured("cipherSuites", fmt::format("there is no suite {}", quoted(wanted)));
    if (found->second.starts_with("TLS_")) continue;  // TLS 1.3
    only_newest = false;
    if (!list.empty()) list += ':';
    list += found->second;
  }
  if (list.empty() && !only_newest) return misconfigured("cipherSuites", "none is left");
  return list;
}

}  // namespace fairlead::tls
