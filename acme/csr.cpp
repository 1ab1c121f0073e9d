#include "acme/csr.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <array>

namespace fairlead::acme {
namespace {

constexpr std::size_t kMaxCommonName = 64;  // X.520's upper bound

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpenSslFree<X509_EXTENSION_free>>;
using ExtensionsPtr =
    std::unique_ptr<STACK_OF(X509_EXTENSION), OpenSslFree<[](STACK_OF(X509_EXTENSION) * all) {
                      sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
                    }>>;

// A comma or the like in a name would add a field of OpenSSL's little language.
bool is_plain(const std::string& name) {
  for (const char c : name)
    if (c == ',' || c == '\n' || c == '\\' || static_cast<unsigned char>(c) <= ' ') return false;
  return !name.empty();
}

}  // namespace

bool is_address(const std::string& name) {
  std::array<unsigned char, 16> bytes;
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

std::string certificate_request(const Key& key, const CsrOptions& options) {
  const RequestPtr request(X509_REQ_new());
  X509_REQ* const r = request.get();
  if (X509_REQ_set_version(r, X509_REQ_VERSION_1) != 1 || X509_REQ_set_pubkey(r, key.get()) != 1) return {};
  // Authorities refuse addresses as common name; a longer one does not fit.
  for (const std::string& name : options.names) {
    if (!options.common_name || is_address(name) || name.size() > kMaxCommonName) continue;
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(r), "CN", MBSTRING_UTF8, bytes_of(name),
                               static_cast<int>(name.size()), -1, 0);
    break;
  }
  std::string alternatives;
  const auto add = [&alternatives](const char* kind, const std::string& value) {
    alternatives += fmt::format("{}{}:{}", alternatives.empty() ? "" : ",", kind, value);
  };
  for (const std::string& name : options.names) {
    if (!is_plain(name)) return {};
    add(is_address(name) ? "IP" : "DNS", name);
  }
  for (const std::string& address : options.email_addresses) {
    if (!is_plain(address)) return {};
    add("email", address);
  }
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, nullptr, nullptr, r, nullptr, 0);
  ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, alternatives.c_str()));
  const ExtensionsPtr all(sk_X509_EXTENSION_new_null());
  if (!extension || !all || sk_X509_EXTENSION_push(all.get(), extension.get()) <= 0) return {};
  (void)extension.release();  // now owned by the stack
  if (X509_REQ_add_extensions(r, all.get()) != 1 || X509_REQ_sign(r, key.get(), EVP_sha256()) == 0) return {};
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_REQ(r, &bytes);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

}  // namespace fairlead::acme
