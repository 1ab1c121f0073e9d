#pragma once

#include "engine/base/result.h"
#include "engine/model/tls.h"
#include "engine/tls/certificate_table.h"
#include "engine/tls/client_hello.h"
#include "engine/tls/files.h"
#include "engine/tls/pointers.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::tls {

// How strongly a set of options wants to know the client: where sets disagree, the stronger counts.
enum class ClientRule : std::uint8_t { Ignores, Asks, Demands };

// One set of TLS options of our side, as an SSL_CTX. Immutable; shared by all workers and connections.
class ServerContext {
 public:
  // `protocols`: those of alpnProtocols that a codec speaks. What is skipped lands in `notices`. The error
  // names the option. Options that cannot be built must close what they protect: there is no half-built
  // context.
  static Configured<std::shared_ptr<const ServerContext>> make(const std::string& name,
                                                               const model::TlsOptions& options, Files& files,
                                                               const std::vector<std::string>& protocols,
                                                               std::vector<std::string>& notices);

  const std::string& name() const { return name_; }  // "default", "strict@file"
  // Equal while options and named files say the same: what connections and requests are compared by.
  std::uint64_t key() const { return key_; }
  bool sni_strict() const { return sni_strict_; }
  ClientRule client_rule() const { return client_rule_; }
  int min_version() const { return min_version_; }  // TLS1_2_VERSION, …
  SSL_CTX* get() const { return context_.get(); }

 private:
  ServerContext() = default;
  Configured<> set_versions(const model::TlsOptions& options);
  Configured<> set_ciphers(const model::TlsOptions& options, std::vector<std::string>& notices);
  Configured<> set_curves(const model::TlsOptions& options, std::vector<std::string>& notices);
  Configured<> set_client_auth(const model::ClientAuth& options, Files& files);
  void set_protocols(const model::TlsOptions& options, const std::vector<std::string>& speaks,
                     std::vector<std::string>& notices);
  static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                             const unsigned char* offered, unsigned int size, void* self);

  std::string name_;
  std::uint64_t key_ = 0;
  std::string key_material_;  // everything the key is a hash of
  bool sni_strict_ = false;
  ClientRule client_rule_ = ClientRule::Ignores;
  int min_version_ = 0;
  std::string alpn_;  // in wire form: each with its length in front
  ContextPtr context_;
};

using ServerContextPtr = std::shared_ptr<const ServerContext>;

// Why there is no handshake: the alert that is sent, and the words for the log.
struct Refusal {
  int alert = 0;  // SSL_AD_*
  std::string why;
};

// A connection's SSL, once its ClientHello has decided. `local`: our address, which stands for the name of a
// client that sends none.
std::expected<SslPtr, Refusal> begin_server(const ServerContext& context, const ClientHello& hello,
                                            const CertificateTable& certificates, const std::string& local);
// For a client that offers acme-tls/1 (RFC 8737): it sees the answer and goes.
std::expected<SslPtr, Refusal> begin_challenge(const CertificatePtr& answer);
inline constexpr std::string_view kAcmeProtocol = "acme-tls/1";

// An alert as a plaintext record: what a client understands before any handshake.
std::string alert_record(int alert);

// The suites of TLS 1.3 in Go's order. OpenSSL puts AES-256 with SHA-384 first, whose hash, for which most
// processors have no instructions, makes a handshake some 5 % dearer.
inline constexpr const char* kCiphersOfTls13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// TLS1_2_VERSION of "VersionTLS12"; 0 for an empty or unknown name.
int version_number(std::string_view name);
// OpenSSL's list for names as Go and IANA write them. Suites of TLS 1.3 are always on and not in it. Those
// that are known but not to be had are skipped with a notice; the error names an unknown one, or that none is
// left.
Configured<std::string> cipher_list(const std::vector<std::string>& names, std::vector<std::string>& notices);

}  // namespace fairlead::tls
