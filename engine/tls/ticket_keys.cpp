#include "engine/tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

namespace fairlead::tls {

TicketKeys& TicketKeys::shared() {
  static TicketKeys keys;
  return keys;
}

TicketKeys::TicketKeys() = default;

TicketKeys::~TicketKeys() { OPENSSL_cleanse(keys_.data(), sizeof keys_); }

bool TicketKeys::make(Key& key) {
  key.valid = RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
              RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1 &&
              RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1;
  return key.valid;
}

void TicketKeys::rotate(std::chrono::steady_clock::time_point now) {
  if (keys_[0].valid && now < issues_until_) return;
  // After a long silence all of them are too old.
  const int steps =
      keys_[0].valid ? static_cast<int>(std::min<std::int64_t>((now - issues_until_) / kIssues + 1, 3)) : 1;
  for (int step = 0; step < steps; ++step) {
    keys_[2] = keys_[1];
    keys_[1] = keys_[0];
    make(keys_[0]);
  }
  issues_until_ = now + kIssues;
}

int TicketKeys::on_ticket(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                          bool issues, std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  rotate(now);
  Key* key = nullptr;
  if (issues) {
    key = keys_[0].valid ? keys_.data() : nullptr;
    if (!key || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    std::ranges::copy(key->name, name);
  } else {
    for (Key& candidate : keys_)
      if (candidate.valid && CRYPTO_memcmp(candidate.name.data(), name, candidate.name.size()) == 0)
        key = &candidate;
    if (!key) return 0;  // a full handshake follows
  }
  // Fetched once: EVP_aes_256_cbc() would be looked up for each ticket.
  static EVP_CIPHER* const kind = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac.data(), key->mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  const bool ready = EVP_CipherInit_ex(cipher, kind, nullptr, key->cipher.data(), iv, issues) == 1 &&
                     EVP_MAC_CTX_set_params(mac, parameters) == 1;
  if (!ready) return -1;
  return key == keys_.data() ? 1 : 2;  // 2: taken, and replaced by a fresh one
}

}  // namespace fairlead::tls
