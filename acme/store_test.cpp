#include "acme/store.h"

#include "acme/chain.h"
#include "acme/encoding.h"
#include "acme/state_json.h"
#include "tests/support/as_nobody.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/without_descriptors.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace fairlead::acme {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
namespace fs = std::filesystem;

// Signed by itself, as PEM texts.
StoredCertificate made(const std::string& name, const std::string& alternatives) {
  const SharedKey key = Key::generate("EC256");
  const X509Ptr certificate(X509_new());
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), 0x8765432112345678);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, key->get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, bytes_of("Test CA"), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x, x, nullptr, nullptr, 0);
  for (const auto& [nid, value] : {std::pair<int, std::string>{NID_subject_alt_name, alternatives},
                                   {NID_subject_key_identifier, "hash"},
                                   {NID_authority_key_identifier, "keyid:always"}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(x, key->get(), EVP_sha256());
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), x);
  return {.main = name, .sans = {}, .text = tls::CertificateText::of(text_of(out.get()), key->pem())};
}

TEST(Chain, TellsNamesTimesAndTheRenewalId) {
  const StoredCertificate certificate = made("a.test", "DNS:A.test,DNS:*.b.test,IP:192.0.2.1,IP:2001:db8::1");

  const auto chain = read_chain(certificate.text->chain());

  ASSERT_TRUE(chain) << chain.error().what;
  EXPECT_EQ(chain->names, (std::vector<std::string>{"a.test", "*.b.test", "192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(chain->not_after - chain->not_before, 3660s);
  EXPECT_EQ(chain->issuer, "CN=Test CA");
  EXPECT_EQ(chain->serial, "8765432112345678");
  // RFC 9773 §4.1: the serial number's DER bytes, here with a leading zero.
  const std::string serial = chain->renewal_id.substr(chain->renewal_id.find('.') + 1);
  EXPECT_EQ(hex(*from_base64url(serial)), "008765432112345678");
  EXPECT_TRUE(belongs(certificate.text->chain(), certificate.text->key()));
  EXPECT_FALSE(belongs(certificate.text->chain(), made("a.test", "DNS:a.test").text->key()));
}

TEST(Chain, RefusesWhatIsCutShort) {
  const StoredCertificate certificate = made("a.test", "DNS:a.test");

  EXPECT_FALSE(read_chain(""));
  EXPECT_FALSE(read_chain("-----BEGIN CERTIFICATE-----\n"));
  const std::string text = certificate.text->chain();
  EXPECT_FALSE(read_chain(text.substr(0, text.size() / 2)));
  EXPECT_FALSE(read_chain(text + text.substr(0, 200))) << "a cut second certificate";
}

TEST(Chain, CoversByOneLabelOnly) {
  EXPECT_TRUE(covers("a.test", "a.test"));
  EXPECT_TRUE(covers("*.test", "a.test"));
  EXPECT_FALSE(covers("*.test", "b.a.test"));
  EXPECT_FALSE(covers("*.test", "test"));
  EXPECT_FALSE(covers("*.test", "*.test2"));
  EXPECT_TRUE(covers("*.test", "*.test"));
  EXPECT_FALSE(covers("*.a.test", "*.test"));
}

TEST(StateJson, ReadsWhatTraefikWritesAndWritesItAgain) {
  const StoredCertificate certificate = made("a.test", "DNS:a.test,DNS:b.test");
  const std::string key = Key::generate("RSA2048")->der();
  const Json file{
      {"le",
       {{"Account",
         {{"Email", "a@b.c"},
          {"Registration", {{"body", {{"status", "valid"}}}, {"uri", "https://ca/acct/1"}}},
          {"PrivateKey", base64(key)},
          {"KeyType", "2048"}}},
        {"Certificates",
         Json::array({{{"domain", {{"main", "a.test"}, {"sans", {"b.test"}}}},
                       {"certificate", base64(certificate.text->chain())},
                       {"key", base64(certificate.text->key())},
                       {"Store", "default"}},
                      {{"domain", {{"main", "broken.test"}}}, {"certificate", "AAAA"}, {"key", "BBBB"}}})}}},
      {"empty", {{"Account", nullptr}, {"Certificates", nullptr}}}};

  const auto state = read_state(file.dump());

  ASSERT_TRUE(state) << state.error().what;
  const ResolverState& le = state->at("le");
  EXPECT_EQ(le.account->key_der, key);
  EXPECT_EQ(le.account->url, "https://ca/acct/1");
  ASSERT_EQ(le.certificates.size(), 1U);
  EXPECT_EQ(le.certificates[0].names(), (std::vector<std::string>{"a.test", "b.test"}));
  EXPECT_EQ(le.unreadable.size(), 1U) << "kept, so that nothing is lost";
  EXPECT_EQ(Json::parse(print_state(*state)), file);
}

TEST(StateJson, KeepsWhatTraefikHasNoFieldFor) {
  State state;
  ResolverState& le = state["le"];
  const WallTime time(1'700'000'000s);
  le.names["a.test"] = {.failures = 3, .since = time, .next_try = time + 1h, .type = "dns", .detail = "no"};
  le.renewals["f00d"] = {
      .renew_at = time, .start = time - 1h, .end = time + 1h, .explanation = "x", .next_poll = time + 2h};
  le.limits = {.until = time, .type = "rateLimited", .detail = "too many", .orders = {time}};
  le.authority = "https://ca.test/dir";
  le.setup = "abc";
  le.tokens["t"] = {.answer = "t.k", .since = time};

  const auto again = read_state(print_state(state));

  ASSERT_TRUE(again);
  EXPECT_EQ(again->at("le").names, le.names);
  EXPECT_EQ(again->at("le").renewals, le.renewals);
  EXPECT_EQ(again->at("le").limits, le.limits);
  EXPECT_EQ(again->at("le").authority, le.authority);
  EXPECT_EQ(again->at("le").setup, le.setup);
  EXPECT_EQ(again->at("le").tokens, le.tokens);
}

TEST(StateJson, SaysWhereItIsNoJsonAndQuotesNothing) {
  const auto state = read_state("{\"le\":\n \"bXkga2V5\nLS0tLS1CRUdJTi");

  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().what, "is no JSON: it breaks at line 3, column 0");
}

TEST(StateJson, CallsAFileOfTraefik1ByItsName) {
  const auto state = read_state(R"({"Account": {"Email": "a@b.example"}, "Certificates": [{"Domain": {}}]})");

  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().what, "is a file of Traefik v1, whose certificates stand under no resolver");
}

TEST(StateJson, RefusesWhatIsNoObject) {
  for (const char* text : {"[]", "7", "{", R"({"le": 5})", R"({"a":1}x)"})
    EXPECT_FALSE(read_state(text)) << text;
  EXPECT_FALSE(read_state(std::string(100'000, '['))) << "nested too deeply";
  EXPECT_TRUE(read_state(" \n"));
}

class Files : public testing::Test {
 protected:
  Files()
      : folder_(fs::temp_directory_path() / ("acme-" + hex(random_bytes(8)))), path_(folder_ / "acme.json") {
    fs::create_directory(folder_);
  }
  ~Files() override { fs::remove_all(folder_); }
  std::string content() const {
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const fs::path folder_;
  const fs::path path_;
};

TEST_F(Files, AreWrittenWholeAndPrivate) {
  Store store(path_);

  store.update([](State& state) { state["le"].names["a"].failures = 1; });

  EXPECT_EQ(read_state(content())->at("le").names.at("a").failures, 1);
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::exists(path_.string() + ".tmp"));
}

TEST_F(Files, KeepWhatSeveralInstancesAndThreadsWrite) {
  Store one(path_);
  Store other(path_);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        for (int k = 0; k < 10; ++k)
          (i % 2 ? one : other).update([i, k](State& state) {
            state["le"].names[std::to_string(i) + "-" + std::to_string(k)].failures = 1;
          });
      });
  }

  EXPECT_EQ(read_state(content())->at("le").names.size(), 80U);
  EXPECT_TRUE(one.is_shared());
}

TEST_F(Files, LockNamesBetweenInstances) {
  Store one(path_);
  auto other = std::make_unique<Store>(path_);

  EXPECT_TRUE(one.lock_name("a.test"));
  EXPECT_FALSE(other->lock_name("a.test"));
  EXPECT_TRUE(other->lock_name("b.test"));
  other.reset();
  EXPECT_TRUE(one.lock_name("b.test")) << "an instance that ends gives its locks back";
  EXPECT_FALSE(one.is_shared());
}

TEST_F(Files, UseTheCopyWhenARewriteInPlaceWasCutShort) {
  std::ofstream(path_) << "{\"le\": {";
  std::ofstream(path_.string() + ".copy") << R"({"le": {"Fairlead": {"Names": {"a": {"Failures": 2}}}}})";

  const Store store(path_);

  EXPECT_EQ(store.refusal(), "");
  EXPECT_EQ(store.read([](const State& state) { return state.at("le").names.at("a").failures; }), 2);
}

TEST_F(Files, AreWrittenAgainWhenTheyVanish) {
  ManualClock clock;
  Store store(path_, clock);
  store.update([](State& state) { state["le"].names["a"].failures = 1; });
  fs::remove(path_);

  store.refresh();
  EXPECT_FALSE(fs::exists(path_)) << "another one may be on its way";
  clock.advance(2s);
  store.refresh();

  EXPECT_EQ(store.read([](const State& state) { return state.size(); }), 1U);
  EXPECT_TRUE(read_state(content())->contains("le"));
}

TEST_F(Files, CanBePutBackSlowly) {
  ManualClock clock;
  Store store(path_, clock);
  store.update([](State& state) { state["le"].names["a"].failures = 1; });
  std::ofstream writer(path_);
  store.refresh();
  clock.advance(1900ms);
  store.refresh();
  EXPECT_EQ(content(), "");
  writer << R"({"other": {}})" << std::flush;

  EXPECT_TRUE(store.refresh());

  EXPECT_EQ(content(), R"({"other": {}})");
  EXPECT_TRUE(store.read([](const State& state) { return state.contains("other"); }));
}

TEST_F(Files, WaitForWhoPutsThemBackBeforeAChangeIsWritten) {
  Store store(path_);
  store.update([](State& state) { state["le"].names["a"].failures = 1; });
  std::ofstream writer(path_);
  std::jthread slow([&writer] {
    std::this_thread::sleep_for(300ms);
    writer << R"({"other": {}})" << std::flush;
  });

  store.update([](State& state) { state["new"]; });

  const auto state = read_state(content());
  EXPECT_TRUE(state->contains("other") && state->contains("new")) << content();
}

TEST_F(Files, FollowWhatIsChangedByHand) {
  Store store(path_);
  store.update([](State& state) { state["le"].names["a"].failures = 1; });
  std::ofstream(path_) << R"({"other": {}})";

  EXPECT_TRUE(store.refresh());

  EXPECT_TRUE(
      store.read([](const State& state) { return state.contains("other") && !state.contains("le"); }));
}

TEST_F(Files, NameTheOwnerOfWhatThisProcessMayNotUse) {
  const std::string owner = std::to_string(::geteuid());
  std::string user, unwritten, refusal;
  ASSERT_EQ(::chmod(folder_.c_str(), 0555), 0);
  {
    const test::AsNobody nobody;
    user = std::to_string(::geteuid());
    Store store(path_);
    store.update([](State&) {});
    unwritten = store.write_problem();
  }
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  std::ofstream(path_) << "{}";
  ASSERT_EQ(::chmod(path_.c_str(), 0000), 0);
  {
    const test::AsNobody nobody;
    refusal = Store(path_).refusal();
  }

  const std::string both = " is of user " + owner + ", this process of user " + user;
  EXPECT_EQ(unwritten,
            path_.string() + ".tmp cannot be created: Permission denied; " + folder_.string() + both);
  EXPECT_TRUE(refusal.contains("Permission denied; it" + both)) << refusal;
}

TEST_F(Files, AreReadAgainOnceThisProcessMay) {
  std::ofstream(path_) << R"({"le": {}})";
  ASSERT_EQ(::chmod(path_.c_str(), 0000), 0);
  std::unique_ptr<Store> store;
  {
    const test::AsNobody nobody;
    store = std::make_unique<Store>(path_);
    EXPECT_TRUE(store->refusal().contains("Permission denied")) << store->refusal();
    EXPECT_FALSE(store->refresh());
  }
  ASSERT_EQ(::chmod(path_.c_str(), 0444), 0);
  const test::AsNobody nobody;

  EXPECT_TRUE(store->refresh());

  EXPECT_EQ(store->refusal(), "");
  EXPECT_TRUE(store->read([](const State& state) { return state.contains("le"); }));
}

TEST_F(Files, AreReadAgainWhenDescriptorsAreFree) {
  Store store(path_);
  std::ofstream(path_) << R"({"le": {}})";
  {
    const test::WithoutDescriptors none;
    store.refresh();
    EXPECT_TRUE(store.refusal().contains("Too many open files")) << store.refusal();
  }

  EXPECT_TRUE(store.refresh());

  EXPECT_EQ(store.refusal(), "");
  EXPECT_TRUE(store.read([](const State& state) { return state.contains("le"); }));
}

TEST_F(Files, AreKeptPrivateWhileTheyAreInUse) {
  Store store(path_);
  store.update([](State& state) { state["le"].names["a"].failures = 1; });
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);

  store.refresh();

  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

// Changes that need more room than there is.
void grow(State& state) { state["le"].names["a"].detail = std::string(1 << 20, 'x'); }

TEST_F(Files, StayWholeWhenTheyCannotGrow) {
  Store store(path_);
  store.update([](State& state) { state["le"].names["a"].failures = 1; });
  const std::string before = content();
  {
    const test::FileSizeLimit limit(before.size() + 1000);
    store.update(grow);
  }

  EXPECT_TRUE(store.write_problem().contains("File too large")) << store.write_problem();
  EXPECT_EQ(content(), before);
  EXPECT_FALSE(fs::exists(path_.string() + ".tmp"));
  EXPECT_FALSE(fs::exists(path_.string() + ".copy"));
  store.refresh();
  EXPECT_EQ(store.write_problem(), "");
  EXPECT_GT(content().size(), std::size_t{1} << 20);
}

// A folder where this process may write the file, and nothing else: as where one file is mounted alone.
TEST_F(Files, AreRewrittenInPlaceOnlyWhenTheyCanGrow) {
  std::ofstream(path_) << "{}";
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path_.c_str(), 65532, 65532), 0);
  }
  ASSERT_EQ(::chmod(folder_.c_str(), 0555), 0);
  {
    const test::AsNobody nobody;
    Store store(path_);
    store.update([](State& state) { state["le"].names["a"].failures = 1; });
    EXPECT_EQ(store.write_problem(), "");
    const std::string before = content();
    EXPECT_EQ(read_state(before)->at("le").names.at("a").failures, 1);
    {
      const test::FileSizeLimit limit(before.size() + 1000);
      store.update(grow);
    }

    EXPECT_TRUE(store.write_problem().contains("File too large")) << store.write_problem();
    EXPECT_EQ(content(), before);
    store.refresh();
    EXPECT_EQ(store.write_problem(), "");
    EXPECT_EQ(read_state(content())->at("le").names.at("a").detail.size(), std::size_t{1} << 20);
    store.update([](State& state) { state["le"].names["a"].detail.clear(); });
    EXPECT_EQ(content(), before) << "nothing of what was longer is left";
  }
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
}

TEST_F(Files, FollowALink) {
  const fs::path target = folder_ / "target.json";
  std::ofstream(target) << "{}";
  fs::create_symlink(target, path_);
  Store store(path_);

  store.update([](State& state) { state["le"].names["a"].failures = 1; });

  EXPECT_TRUE(fs::is_symlink(path_));
  std::ifstream in(target);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(read_state(text)->contains("le"));
}

TEST_F(Files, FollowALinkToAFileThatDoesNotExistYet) {
  fs::create_directory(folder_ / "volume");
  fs::create_symlink("volume/kept.json", path_);
  Store store(path_);

  store.update([](State& state) { state["le"].names["a"].failures = 1; });

  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_TRUE(fs::is_regular_file(folder_ / "volume" / "kept.json"));
  EXPECT_TRUE(read_state(content())->contains("le"));
}

}  // namespace
}  // namespace fairlead::acme
