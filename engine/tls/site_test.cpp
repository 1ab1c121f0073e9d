#include "engine/tls/site.h"

#include "engine/tls/test_certificates.h"
#include "tests/support/as_nobody.h"
#include "tests/support/without_descriptors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace fairlead::tls {
namespace {

using model::ReasonKind;

void write_file(const std::string& path, const std::string& contents) { std::ofstream(path) << contents; }

struct SiteTest : testing::Test {
  model::Element<model::TlsOptions>& options(const std::string& name) { return config.options[name]; }
  void demand_client(const std::string& name, const std::string& ca) {
    options(name).options.client_auth.ca_files = {ca};
  }
  std::shared_ptr<const HostTable> hosts(const std::vector<Wish>& wishes) {
    disputes.clear();
    return site.hosts(wishes, disputes);
  }

  std::shared_ptr<Tables> tables = std::make_shared<Tables>();
  Site site{tables, {"http/1.1"}};
  model::Tls config;
  std::vector<Dispute> disputes;
  std::string ca = test_certificate("").chain;
};

TEST_F(SiteTest, HasDefaultOptionsWithoutConfiguration) {
  site.build(config);
  ASSERT_TRUE(site.options("default"));
  EXPECT_EQ(site.options("default"), site.options(""));
  EXPECT_EQ(site.options("default")->min_version(), TLS1_2_VERSION);
  EXPECT_FALSE(site.options("other@file"));
}

TEST_F(SiteTest, BreaksOptionsThatCannotBeBuilt) {
  options("ciphers").options.cipher_suites = {"TLS_NO_SUCH"};
  options("curves").options.curve_preferences = {"CurveP1"};
  options("ca").options.client_auth.ca_files = {"/nowhere/ca.pem"};
  options("rc4").options.cipher_suites = {"TLS_RSA_WITH_RC4_128_SHA"};
  options("some").options.cipher_suites = {"TLS_RSA_WITH_RC4_128_SHA",
                                           "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                                           "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_AES_128_GCM_SHA256"};
  options("some").options.curve_preferences = {"X25519MLKEM768", "X25519"};
  site.build(config);
  for (const char* name : {"ciphers", "curves", "ca", "rc4"}) {
    EXPECT_TRUE(options(name).broken()) << name;
    EXPECT_FALSE(site.options(name)) << name;
  }
  EXPECT_FALSE(options("some").broken());
  EXPECT_TRUE(site.options("some"));
  EXPECT_GE(options("some").reasons.size(), 1u);
}

TEST_F(SiteTest, ChoosesOptionsByTheNameOrItsWildcard) {
  options("one").options.min_version = "VersionTLS13";
  demand_client("two", ca);
  site.build(config);
  const auto table = hosts({{"r1", {"a.example"}, "one"}, {"r2", {"*.b.example"}, "two"}, {"r3", {}, "two"}});
  EXPECT_EQ(table->find("a.example").context, site.options("one"));
  EXPECT_EQ(table->find("x.b.example").context, site.options("two"));
  EXPECT_EQ(table->find("b.example").context, site.options("default"));
  EXPECT_EQ(table->find("x.y.b.example").context, site.options("default"));
  EXPECT_EQ(table->find("").context, site.options("default"));
  EXPECT_TRUE(disputes.empty());
}

TEST_F(SiteTest, LetsTheOneThatAsksForACertificateCount) {
  demand_client("strict", ca);
  site.build(config);
  const auto table = hosts(
      {{"r1", {"a.example"}, "default"}, {"r2", {"a.example"}, "strict"}, {"r3", {"b.example"}, "default"}});
  EXPECT_EQ(table->find("a.example").context, site.options("strict"));
  EXPECT_EQ(table->find("b.example").context, site.options("default"));
  ASSERT_EQ(disputes.size(), 1u);
  EXPECT_EQ(disputes[0].routers, (std::vector<std::string>{"r1", "r2"}));
}

TEST_F(SiteTest, LetsTheRouterOfAWildcardHaveItsSayAtItsNames) {
  demand_client("strict", ca);
  site.build(config);
  const auto table = hosts({{"r1", {"a.b.example"}, "default"}, {"r2", {"*.b.example"}, "strict"}});
  EXPECT_EQ(table->find("a.b.example").context, site.options("strict"));
}

TEST_F(SiteTest, RefusesWhereTwoAskForDifferentCertificates) {
  demand_client("one", ca);
  demand_client("two", test_certificate("").chain);
  site.build(config);
  const auto table = hosts({{"r1", {"a.example"}, "one"}, {"r2", {"a.example"}, "two"}});
  EXPECT_FALSE(table->find("a.example").context);
  EXPECT_FALSE(table->find("a.example").refusal.empty());
}

TEST_F(SiteTest, RaisesTheMinimumOfTheDefaultWhereOptionsDiffer) {
  options("new").options.min_version = "VersionTLS13";
  options("slim").options.curve_preferences = {"X25519"};
  site.build(config);
  const auto table = hosts({{"r1", {"a.example"}, "new"}, {"r2", {"a.example"}, "slim"}});
  ASSERT_TRUE(table->find("a.example").context);
  EXPECT_EQ(table->find("a.example").context->min_version(), TLS1_3_VERSION);
}

TEST_F(SiteTest, GivesABrokenRouterNoSay) {
  demand_client("strict", ca);
  site.build(config);
  const auto table = hosts({{"r1", {"a.example"}, "missing@file"},
                            {"r2", {"a.example"}, "strict"},
                            {"r3", {"b.example"}, "missing@file"}});
  EXPECT_EQ(table->find("a.example").context, site.options("strict"));
  EXPECT_EQ(table->find("b.example").context, site.options("default"));
}

TEST_F(SiteTest, RefusesHandshakesWhenTheDefaultIsUnusable) {
  options("default").options.cipher_suites = {"TLS_NO_SUCH"};
  site.build(config);
  const auto table = hosts({{"r1", {"a.example"}, "default"}});
  EXPECT_FALSE(table->find("a.example").context);
  EXPECT_FALSE(table->find("other").context);
  EXPECT_NE(table->find("other").refusal.find("TLS_NO_SUCH"), std::string::npos);
}

TEST_F(SiteTest, AdmitsRequestsOverConnectionsWithTheSameOptions) {
  demand_client("strict", ca);
  site.build(config);
  const auto table = hosts({{"r1", {"a.example"}, "strict"}, {"r2", {"b.example"}, "default"}});
  const auto strict = site.options("strict");
  const auto plain = site.options("default");
  EXPECT_TRUE(table->admits("a.example", strict.get()));
  EXPECT_FALSE(table->admits("a.example", plain.get()));
  EXPECT_FALSE(table->admits("b.example", strict.get()));
  EXPECT_TRUE(table->admits("nobody", plain.get()));
  EXPECT_FALSE(table->admits("nobody", nullptr));
}

TEST_F(SiteTest, AdmitsRequestsAfterAChangeThatAsksForNoCertificate) {
  demand_client("strict", ca);
  site.build(config);
  const auto strict = site.options("strict");
  const auto plain = site.options("default");
  demand_client("strict", test_certificate("").chain);
  options("default").options.min_version = "VersionTLS13";
  site.build(config);
  const auto table = hosts({{"r1", {"a.example"}, "strict"}, {"r2", {"b.example"}, "default"}});
  EXPECT_TRUE(table->admits("b.example", plain.get()));
  EXPECT_FALSE(table->admits("a.example", strict.get()));
}

TEST_F(SiteTest, ServesChangedFilesAndKeepsGoodOnes) {
  const std::string folder = testing::TempDir() + "site_test";
  std::filesystem::create_directories(folder);
  const std::string cert = folder + "/cert.pem";
  const std::string key = folder + "/key.pem";
  const TestCertificate first = test_certificate("DNS:a");
  write_file(cert, first.chain);
  write_file(key, first.key);
  config.certificates.emplace_back().options = {cert, key, {}};
  site.build(config);
  const auto before = tables->certificates.table()->find("a")->ecdsa;
  ASSERT_TRUE(before);
  EXPECT_FALSE(site.files_changed());

  write_file(cert, "half of a certificate");
  EXPECT_TRUE(site.files_changed());
  site.build(config);
  EXPECT_EQ(tables->certificates.table()->find("a")->ecdsa, before);
  EXPECT_FALSE(config.certificates[0].broken());
  EXPECT_EQ(config.certificates[0].reasons.size(), 1u);

  const TestCertificate second = test_certificate("DNS:a");
  write_file(key, second.key);
  write_file(cert, second.chain);
  EXPECT_TRUE(site.files_changed());
  site.build(config);
  EXPECT_NE(tables->certificates.table()->find("a")->ecdsa, before);
  std::filesystem::remove_all(folder);
}

TEST_F(SiteTest, TellsACertificateThatServesNobody) {
  const TestCertificate unnamed = test_certificate("", false, "Some Machine");
  config.certificates.emplace_back().options = {unnamed.chain, unnamed.key, {}};
  site.build(config);
  EXPECT_FALSE(config.certificates[0].broken());
  ASSERT_EQ(config.certificates[0].reasons.size(), 1u);
  EXPECT_EQ(config.certificates[0].reasons[0].kind, ReasonKind::Ineffective);
}

TEST_F(SiteTest, TellsCertificatesThatHaveExpired) {
  const TestCertificate old = test_certificate("DNS:a", false, "test", -1);
  config.certificates.emplace_back().options = {old.chain, old.key, {}};
  config.stores["default"].options.default_certificate.emplace(model::KeyPair{old.chain, old.key});
  site.build(config);

  ASSERT_EQ(config.certificates[0].reasons.size(), 1u);
  EXPECT_NE(config.certificates[0].reasons[0].text.find("expired"), std::string::npos);
  EXPECT_FALSE(config.certificates[0].broken()) << "a client may still take it";
  EXPECT_EQ(config.stores["default"].reasons.size(), 1u);
}

// PEM text that lost its first line, or a key in base64.
TEST_F(SiteTest, ShowsNoKeyThatStandsWhereAPathBelongs) {
  const TestCertificate pair = test_certificate("DNS:a");
  const std::string secret =
      "MHcCAQEESECRETKEYMATERIAL+1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHIJ/KLMNOP";
  for (const std::string& key : {secret, std::string("MHcCAQEESECRET\nSECRET\n")}) {
    config.certificates.clear();
    config.certificates.emplace_back().options = {pair.chain, key, {}};
    site.build(config);

    ASSERT_EQ(config.certificates[0].reasons.size(), 1u);
    const std::string& told = config.certificates[0].reasons[0].text;
    EXPECT_EQ(told.find("SECRET"), std::string::npos) << told;
    EXPECT_NE(told.find("neither a path nor PEM text"), std::string::npos) << told;
  }
}

TEST_F(SiteTest, ReadsFilesAgainOnceTheyCanBeRead) {
  const std::string folder = testing::TempDir() + "site_test_unread";
  std::filesystem::create_directories(folder);
  const std::string cert = folder + "/cert.pem";
  const std::string key = folder + "/key.pem";
  const TestCertificate pair = test_certificate("DNS:a");
  write_file(cert, pair.chain);
  write_file(key, pair.key);
  ASSERT_EQ(::chmod(key.c_str(), 0000), 0);
  config.certificates.emplace_back().options = {cert, key, {}};
  {
    const test::AsNobody nobody;
    site.build(config);
    EXPECT_TRUE(config.certificates[0].broken());
    EXPECT_FALSE(site.files_changed()) << "nobody builds in vain all the time";
  }

  ASSERT_EQ(::chmod(key.c_str(), 0444), 0);
  EXPECT_TRUE(site.files_changed());
  config.certificates[0].reasons.clear();
  {
    const test::WithoutDescriptors none;
    site.build(config);
    EXPECT_FALSE(config.certificates[0].reasons.empty());
    EXPECT_FALSE(site.files_changed());
  }

  EXPECT_TRUE(site.files_changed());
  config.certificates[0].reasons.clear();
  site.build(config);
  EXPECT_TRUE(config.certificates[0].reasons.empty());
  EXPECT_FALSE(site.files_changed());
  std::filesystem::remove_all(folder);
}

TEST_F(SiteTest, SharesEqualOptionsOverBuilds) {
  options("one").options.sni_strict = true;
  site.build(config);
  const auto before = site.options("one");
  site.build(config);
  EXPECT_EQ(site.options("one"), before);
  options("one").options.sni_strict = false;
  site.build(config);
  EXPECT_NE(site.options("one")->key(), before->key());
}

}  // namespace
}  // namespace fairlead::tls
