#pragma once

#include <openssl/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace fairlead::tls {

// Keys of session tickets (RFC 5077 §5.5), shared by all workers so that a client resumes wherever it lands,
// and by all sets of options: which tickets a set takes is decided by its session id context. A key issues
// tickets for 12 h and is taken for 24 h more; nothing of it is ever written to disk.
class TicketKeys {
 public:
  static constexpr std::chrono::hours kIssues{12};

  static TicketKeys& shared();

  TicketKeys();
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // As SSL_CTX_set_tlsext_ticket_key_evp_cb wants it.
  int on_ticket(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool issues,
                std::chrono::steady_clock::time_point now);

 private:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
    bool valid = false;
  };
  static bool make(Key& key);
  void rotate(std::chrono::steady_clock::time_point now);

  std::mutex mutex_;
  std::array<Key, 3> keys_;  // the first issues
  std::chrono::steady_clock::time_point issues_until_{};
};

}  // namespace fairlead::tls
