#include "engine/middleware/watched_tls.h"

#include "engine/middleware/test_options.h"
#include "engine/tls/test_certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace fairlead::middleware {
namespace {

using testing::HasSubstr;

class WatchedTlsFiles : public testing::Test {
 protected:
  ~WatchedTlsFiles() override {
    for (const std::string& path : {ca_, cert_, key_}) std::remove(path.c_str());
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::trunc) << text;
  }
  static model::ClientTls trusting(const std::string& ca) {
    model::ClientTls options;
    options.ca = ca;
    return options;
  }
  Configured<std::shared_ptr<const WatchedTls>> make(const model::ClientTls& options) {
    Making making{.name = "auth@file", .carry_over = carry_over_, .service = nullptr, .middleware = nullptr};
    return WatchedTls::make(options, making);
  }

  const std::string base_ = testing::TempDir() + "fairlead-tls-" + std::to_string(::getpid());
  const std::string ca_ = base_ + ".ca";
  const std::string cert_ = base_ + ".crt";
  const std::string key_ = base_ + ".key";
  exchange::CarryOver carry_over_;
};

TEST_F(WatchedTlsFiles, AreReadAgainWhenTheyChangeAndTheLastGoodOnesStay) {
  const tls::TestCertificate old_pair = tls::test_certificate("IP:127.0.0.1");
  const tls::TestCertificate new_pair = tls::test_certificate("IP:127.0.0.1");
  write(cert_, old_pair.chain);
  write(key_, old_pair.key);
  model::ClientTls options;
  options.cert = cert_;
  options.key = key_;
  const auto made = make(options);
  ASSERT_TRUE(made) << made.error().what;
  const auto first = (*made)->now();

  write(cert_, new_pair.chain);  // its key is not there yet
  WatchedFile::look_at_all();
  EXPECT_EQ((*made)->now(), first);

  write(key_, new_pair.key);
  WatchedFile::look_at_all();
  const auto second = (*made)->now();
  EXPECT_NE(second, first);

  write(cert_, "not a certificate");
  WatchedFile::look_at_all();
  EXPECT_EQ((*made)->now(), second);
}

TEST_F(WatchedTlsFiles, AreSharedByEqualOptionsAcrossConfigurations) {
  write(ca_, tls::test_certificate("").chain);

  const auto one = make(trusting(ca_));
  const auto again = make(trusting(ca_));

  ASSERT_TRUE(one && again);
  EXPECT_EQ(*one, *again);
}

TEST_F(WatchedTlsFiles, ThatCannotBeUsedNameTheirOption) {
  write(ca_, "not a certificate");

  EXPECT_EQ(make(trusting("/nowhere/ca.pem")).error().path, "tls.ca");
  EXPECT_THAT(make(trusting("/nowhere/ca.pem")).error().what, HasSubstr("open /nowhere/ca.pem"));
  EXPECT_EQ(make(trusting(ca_)).error().path, "tls");
  model::ClientTls options;
  options.cert = options.key = "/nowhere/c.pem";
  EXPECT_EQ(make(options).error().path, "tls.cert");
}

}  // namespace
}  // namespace fairlead::middleware
