#include "acme/key.h"

#include "acme/encoding.h"
#include "engine/model/resolvers.h"
#include "engine/schema/scalar.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>

namespace fairlead::acme {
namespace {

constexpr int kLeastRsaBits = 2048;    // authorities take no less
constexpr int kLargestRsaBits = 8192;  // more costs seconds for each signature

using SignaturePtr = std::unique_ptr<ECDSA_SIG, OpenSslFree<ECDSA_SIG_free>>;

// A number of the public key, as JOSE writes it; `size` 0: as short as can be.
std::string number(const EVP_PKEY* key, const char* name, std::size_t size = 0) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return {};
  const NumberPtr value(raw);
  const int length = size != 0 ? static_cast<int>(size) : BN_num_bytes(raw);
  std::string out(static_cast<std::size_t>(length), '\0');
  if (BN_bn2binpad(raw, reinterpret_cast<unsigned char*>(out.data()), length) != length) return {};
  return base64url(out);
}

std::string group_of(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 ? std::string(name.data(), size)
                                                                            : std::string();
}

}  // namespace

std::string usable_key_type(const std::string& wanted) {
  return schema::is_choice(model::kKeyTypes, wanted) ? wanted : model::kDefaultKeyType;
}

std::shared_ptr<const Key> Key::generate(std::string_view type) {
  KeyPtr made;
  if (type == "EC256") made.reset(EVP_EC_gen("P-256"));
  if (type == "EC384") made.reset(EVP_EC_gen("P-384"));
  if (type == "RSA2048") made.reset(EVP_RSA_gen(2048));
  if (type == "RSA4096") made.reset(EVP_RSA_gen(4096));
  if (type == "RSA8192") made.reset(EVP_RSA_gen(8192));
  if (!made) return nullptr;
  std::shared_ptr<Key> key(new Key(std::move(made)));
  return key->describe() ? key : nullptr;
}

Configured<std::shared_ptr<const Key>> Key::from_der(std::string_view der) {
  ERR_clear_error();
  const unsigned char* at = bytes_of(der);
  KeyPtr read(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  if (!read) return misconfigured({}, fmt::format("no usable private key ({})", openssl_words()));
  std::shared_ptr<Key> key(new Key(std::move(read)));
  if (!key->describe()) {
    ERR_clear_error();
    return misconfigured(
        {}, "a key of a kind that authorities do not take: RSA (2048 to 8192 bits), P-256 or P-384");
  }
  return key;
}

bool Key::describe() {
  const int kind = EVP_PKEY_get_base_id(key_.get());
  if (kind == EVP_PKEY_RSA) {
    const int bits = EVP_PKEY_get_bits(key_.get());
    if (bits < kLeastRsaBits || bits > kLargestRsaBits) return false;
    algorithm_ = "RS256";
    jwk_ = fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})", number(key_.get(), OSSL_PKEY_PARAM_RSA_E),
                       number(key_.get(), OSSL_PKEY_PARAM_RSA_N));
  } else if (kind == EVP_PKEY_EC) {
    const std::string group = group_of(key_.get());
    const bool p256 = group == "prime256v1" || group == "P-256";
    if (!p256 && group != "secp384r1" && group != "P-384") return false;
    algorithm_ = p256 ? "ES256" : "ES384";
    field_bytes_ = p256 ? 32 : 48;
    jwk_ = fmt::format(R"({{"crv":"{}","kty":"EC","x":"{}","y":"{}"}})", p256 ? "P-256" : "P-384",
                       number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, field_bytes_),
                       number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, field_bytes_));
  } else {
    return false;
  }
  thumbprint_ = base64url(sha256(jwk_));
  return true;
}

std::string Key::der() const {
  unsigned char* bytes = nullptr;
  const int size = i2d_PrivateKey(key_.get(), &bytes);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_clear_free(bytes, static_cast<std::size_t>(size));
  return out;
}

std::string Key::pem() const {
  const BioPtr out(BIO_new(BIO_s_mem()));
  // The traditional form ("RSA PRIVATE KEY", "EC PRIVATE KEY"), as Traefik writes it.
  if (PEM_write_bio_PrivateKey_traditional(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return {};
  return text_of(out.get());
}

std::string Key::sign(std::string_view bytes) const {
  const DigestPtr context(EVP_MD_CTX_new());
  const EVP_MD* const digest = algorithm_ == "ES384" ? EVP_sha384() : EVP_sha256();
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(bytes), bytes.size()) != 1)
    return {};
  std::string out(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes_of(bytes),
                     bytes.size()) != 1)
    return {};
  out.resize(size);
  if (field_bytes_ == 0) return out;
  const unsigned char* at = bytes_of(out);
  const SignaturePtr parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(out.size())));
  if (!parts) return {};
  std::string joined(2 * field_bytes_, '\0');
  auto* to = reinterpret_cast<unsigned char*>(joined.data());
  const int length = static_cast<int>(field_bytes_);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), to, length) != length ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), to + field_bytes_, length) != length)
    return {};
  return joined;
}

}  // namespace fairlead::acme
