#include "engine/tls/ticket_keys.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace fairlead::tls {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

struct TicketKeysTest : testing::Test {
  ~TicketKeysTest() override {
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
  }
  int issue(Time now) { return keys.on_ticket(name, iv, cipher, context, true, now); }
  int take(Time now) { return keys.on_ticket(name, iv, cipher, context, false, now); }

  TicketKeys keys;
  unsigned char name[16]{};
  unsigned char iv[16]{};
  EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  const Time start = Time() + 1h;
};

TEST_F(TicketKeysTest, TakesWhatItIssued) {
  EXPECT_EQ(issue(start), 1);
  EXPECT_EQ(take(start + 11h), 1);
}

TEST_F(TicketKeysTest, TakesOlderTicketsAndReplacesThem) {
  EXPECT_EQ(issue(start), 1);
  EXPECT_EQ(take(start + 13h), 2);
  EXPECT_EQ(take(start + 26h), 2);
  EXPECT_EQ(take(start + 39h), 0);
}

TEST_F(TicketKeysTest, ForgetsAllKeysOverALongSilence) {
  EXPECT_EQ(issue(start), 1);
  EXPECT_EQ(take(start + 400h), 0);
}

TEST_F(TicketKeysTest, DoesNotKnowOthersTickets) {
  EXPECT_EQ(issue(start), 1);
  name[3] ^= 1;
  EXPECT_EQ(take(start), 0);
}

}  // namespace
}  // namespace fairlead::tls
