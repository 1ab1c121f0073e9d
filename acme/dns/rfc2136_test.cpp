#include "acme/dns/rfc2136.h"

#include "acme/dns/caa.h"
#include "acme/dns/propagation.h"
#include "acme/dns/test_api.h"
#include "acme/dns/test_knot.h"
#include "acme/encoding.h"
#include "acme/order.h"
#include "acme/solver_dns01.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::acme::dns {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// One server for all tests of this file: they use names of their own.
const test::Knot& knot() {
  static const test::Knot server;
  return server;
}

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

std::unique_ptr<Provider> provider(std::map<std::string, std::string> variables) {
  variables.emplace("RFC2136_NAMESERVER", knot().server());
  const Environment set = environment(std::move(variables));
  auto made = make_rfc2136(Settings("rfc2136", "RFC2136_", set));
  EXPECT_TRUE(made) << (made ? "" : made.error().what);
  return made ? std::move(made->provider) : nullptr;
}

std::unique_ptr<Provider> signed_by(const std::string& kind) {
  return provider({{"RFC2136_TSIG_KEY", "key-" + kind},
                   {"RFC2136_TSIG_SECRET", test::Knot::kSecret},
                   {"RFC2136_TSIG_ALGORITHM", "hmac-" + kind + "."}});
}

model::DnsChallenge asked_of_knot() {
  model::DnsChallenge options;
  options.provider = "rfc2136";
  options.resolvers = {knot().server()};
  return options;
}

Record record(const std::string& name, const std::string& value) {
  return {.domain = name, .name = name, .value = value, .token = "t", .key_authorization = "k"};
}

class Rfc2136Algorithm : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, Rfc2136Algorithm, ::testing::Values("md5", "sha1", "sha256", "sha512"));

TEST_P(Rfc2136Algorithm, AddsAndRemovesSignedRecords) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  const std::string name = std::string("_acme-challenge.") + GetParam() + ".example.test";
  const auto updates = signed_by(GetParam());

  const auto one = updates->present(record(name, "one"), {});
  const auto two = updates->present(record(name, "two"), {});

  ASSERT_TRUE(one) << one.error().detail;
  ASSERT_TRUE(two) << two.error().detail;
  EXPECT_THAT(knot().values(name), ElementsAre("one", "two"));
  EXPECT_TRUE(updates->clean_up(record(name, "one"), {}));
  EXPECT_THAT(knot().values(name), ElementsAre("two"));
  EXPECT_TRUE(updates->clean_up(record(name, "two"), {}));
  EXPECT_TRUE(updates->clean_up(record(name, "two"), {})) << "what is gone already is no error";
  EXPECT_THAT(knot().values(name), IsEmpty());
}

TEST(Rfc2136, SaysWhatIsWrongWithTheKey) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  const Record wanted = record("_acme-challenge.bad.example.test", "x");
  const auto wrong_secret = provider({{"RFC2136_TSIG_KEY", "key-sha256"},
                                      {"RFC2136_TSIG_SECRET", "b3RoZXI="},
                                      {"RFC2136_TSIG_ALGORITHM", "hmac-sha256"}});
  const auto wrong_name = provider({{"RFC2136_TSIG_KEY", "nobody"},
                                    {"RFC2136_TSIG_SECRET", test::Knot::kSecret},
                                    {"RFC2136_TSIG_ALGORITHM", "hmac-sha256"}});
  const auto unsigned_one = provider({});

  EXPECT_THAT(wrong_secret->present(wanted, {}).error().detail, HasSubstr("BADSIG"));
  EXPECT_THAT(wrong_name->present(wanted, {}).error().detail, HasSubstr("BADKEY"));
  EXPECT_THAT(unsigned_one->present(wanted, {}).error().detail,
              AllOf(HasSubstr("zone example.test"), HasSubstr("RFC2136_TSIG_KEY")));
  EXPECT_THAT(unsigned_one->present(record("a.nowhere.invalid", "x"), {}).error().detail,
              HasSubstr("DNS server 127.0.0.1"));
}

TEST(Rfc2136, ReadsTheFileOfTsigKeygen) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  const std::string path = ::testing::TempDir() + "/fairlead-tsig.key";
  std::ofstream(path) << "key \"key-sha256\" {\n\talgorithm hmac-sha256;\n\tsecret \"" << test::Knot::kSecret
                      << "\";\n};\n";

  const auto done =
      provider({{"RFC2136_TSIG_FILE", path}})->present(record("_acme-challenge.file.example.test", "v"), {});

  EXPECT_TRUE(done) << done.error().detail;
  std::filesystem::remove(path);
}

TEST(Rfc2136, NamesTheVariableThatIsMissing) {
  const Environment nothing = environment({});
  const Environment half = environment({{"RFC2136_NAMESERVER", "127.0.0.1"}, {"RFC2136_TSIG_KEY", "k"}});

  EXPECT_THAT(make_rfc2136(Settings("rfc2136", "RFC2136_", nothing)).error().what,
              HasSubstr("RFC2136_NAMESERVER"));
  EXPECT_THAT(make_rfc2136(Settings("rfc2136", "RFC2136_", half)).error().what,
              HasSubstr("RFC2136_TSIG_SECRET"));
}

TEST(Rfc2136, AServerThatIsNotThereIsSaidWithinTheTimeout) {
  UpdateOptions options;
  options.server = "127.0.0.1:1";
  options.timeout = 1s;

  const auto done = DynamicUpdate(options).present(record("a.example.test", "x"), {});

  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().detail, HasSubstr("127.0.0.1:1"));
}

TEST(DnsResolver, FollowsAliasesAndFindsZones) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  const Resolver resolver({knot().server()});

  EXPECT_EQ(resolver.follow_aliases("_acme-challenge.WWW.example.test."), "www.proofs.test");
  EXPECT_EQ(resolver.follow_aliases("_acme-challenge.example.test"), "_acme-challenge.example.test");
  EXPECT_EQ(resolver.find_zone("www.proofs.test"), "proofs.test");
  EXPECT_EQ(resolver.find_zone("a.b.c.example.test"), "example.test");
  EXPECT_THAT(resolver.follow_aliases("_acme-challenge.round.example.test").error().detail,
              HasSubstr("circle"));
  EXPECT_THAT(resolver.find_zone("www.example.org").error().detail, HasSubstr("REFUSED"));
}

TEST(DnsResolver, AsksTheNextServerWhenOneRefuses) {
  ASSERT_TRUE(knot().ready()) << knot().log();

  EXPECT_EQ(Resolver({"127.0.0.1:1", knot().server()}).find_zone("proofs.test"), "proofs.test");
}

TEST(DnsResolver, AStopEndsAQuestion) {
  std::stop_source stop;
  stop.request_stop();

  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(ask_server("192.0.2.1:53", "example.test", Type::A, true, stop.get_token()));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

TEST(DnsPropagation, ShowsWhatEveryServerSees) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  Propagation how(asked_of_knot());
  how.port = knot().port();
  const std::string name = "_acme-challenge.seen.example.test";
  ASSERT_TRUE(signed_by("sha256")->present(record(name, "other"), {}));

  const auto before = look(how, name, "mine", {});
  const auto late = wait_until_shown(how, {0s, 1s}, name, "mine", {});
  ASSERT_TRUE(signed_by("sha256")->present(record(name, "mine"), {}));
  const auto after = wait_until_shown(how, {5s, 100ms}, name, "mine", {});

  ASSERT_TRUE(before) << before.error().detail;
  ASSERT_EQ(before->size(), 1u);
  EXPECT_FALSE(before->front().shows);
  EXPECT_EQ(before->front().server, "ns1.example.test (" + knot().server() + ")");
  EXPECT_EQ(before->front().what, "another value: \"other\"");
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().detail, AllOf(HasSubstr("not seen everywhere"), HasSubstr("ns1.example.test")));
  EXPECT_TRUE(after) << after.error().detail;
}

TEST(DnsPropagation, WaitsForEveryNameServerOfTheZoneUnlessToldNotTo) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  model::DnsChallenge options = asked_of_knot();
  Propagation how(options);
  how.port = knot().port();
  const std::string name = "half.proofs.test";
  ASSERT_TRUE(provider({})->present(record(name, "mine"), {}));

  const auto all = wait_until_shown(how, {0s, 1s}, name, "mine", {});
  how.authoritative = false;
  how.recursive = true;
  const auto resolvers = wait_until_shown(how, {0s, 1s}, name, "mine", {});

  ASSERT_FALSE(all) << "127.0.0.2 serves nothing";
  EXPECT_THAT(all.error().detail,
              AllOf(HasSubstr("ns1.example.test (" + knot().server() + ") shows the record"),
                    HasSubstr("ns2.proofs.test")));
  EXPECT_TRUE(resolvers) << resolvers.error().detail;
}

TEST(DnsPropagation, OptionsOldAndNewCount) {
  model::DnsChallenge old_ones, new_ones;
  old_ones.delay_before_check = 3s;
  old_ones.disable_propagation_check = true;
  new_ones.propagation.emplace();
  new_ones.propagation->disable_ans_checks = true;
  new_ones.propagation->require_all_rns = true;
  new_ones.propagation->delay_before_checks = 7s;

  const Propagation old(old_ones), fresh(new_ones);

  EXPECT_FALSE(old.checks);
  EXPECT_EQ(old.delay, 3s);
  EXPECT_TRUE(fresh.checks && fresh.recursive && !fresh.authoritative);
  EXPECT_EQ(fresh.delay, 7s);
}

TEST(Caa, IsLookedUpAtTheNearestNameThatHasIt) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  const Resolver resolver({knot().server()});

  const auto named = caa_allows("deep.below.example.test", {"ca.example"}, resolver);
  const auto other = caa_allows("*.below.example.test", {"other.example"}, resolver);
  const auto unknown = caa_allows("www.example.org", {"other.example"}, resolver);

  EXPECT_TRUE(named && *named);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().detail, HasSubstr("CAA records of example.test"));
  EXPECT_TRUE(unknown && !*unknown) << "what cannot be looked up decides nothing";
}

TEST(Caa, AnOrderForANameThatItForbidsIsNotSent) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  std::string base;
  test::TestApi authority([&](const test::ApiRequest& request) -> test::ApiReply {
    if (request.target != "/dir") return {500, "{}"};
    return {200, R"({"newNonce":")" + base + R"(/nonce","newAccount":")" + base +
                     R"(/account","newOrder":")" + base +
                     R"(/order","meta":{"caaIdentities":["Other.example"]}})"};
  });
  base = authority.url();
  Client client(base + "/dir", {});
  OrderOptions options;
  options.names = {"shop.example.test", "shop.proofs.test"};
  options.resolvers = {knot().server()};

  const auto issued = Order(client, {}, {}, {}).run(options);

  ASSERT_FALSE(issued);
  ASSERT_EQ(issued.error().names.size(), 1u);
  EXPECT_EQ(issued.error().names.begin()->first, "shop.example.test");
  EXPECT_THAT(issued.error().names.begin()->second.detail, HasSubstr("let ca.example issue"));
  EXPECT_EQ(authority.seen().size(), 1u) << "only the directory was asked for";
}

TEST(Dns01Solver, PutsADomainAndItsWildcardWhereTheAliasLeads) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  model::DnsChallenge options = asked_of_knot();
  options.propagation.emplace();
  options.propagation->disable_ans_checks = true;
  options.propagation->require_all_rns = true;
  auto solver = make_dns01_solver(options, environment({{"RFC2136_NAMESERVER", knot().server()}}));
  ASSERT_TRUE(solver) << solver.error().what;
  const Authorization apex{.name = "www.example.test", .token = "a"};
  const Authorization wild{.name = "www.example.test", .wildcard = true, .token = "b"};

  const auto one = (*solver)->present(apex, "a.print", {});
  const auto two = (*solver)->present(wild, "b.print", {});

  ASSERT_TRUE(one) << one.error().detail;
  ASSERT_TRUE(two) << two.error().detail;
  std::vector<std::string> expected = {base64url(sha256("a.print")), base64url(sha256("b.print"))};
  std::ranges::sort(expected);
  EXPECT_EQ(knot().values("www.proofs.test"), expected);
  EXPECT_TRUE((*solver)->wait_until_visible(apex, "a.print", {}));
  EXPECT_TRUE((*solver)->clean_up(apex, "a.print"));
  EXPECT_THAT(knot().values("www.proofs.test"), ElementsAre(base64url(sha256("b.print"))));
  EXPECT_TRUE((*solver)->clean_up(wild, "b.print"));
  EXPECT_THAT(knot().values("www.proofs.test"), IsEmpty());
}

TEST(Dns01Solver, AliasesCanBeSwitchedOff) {
  ASSERT_TRUE(knot().ready()) << knot().log();
  model::DnsChallenge options = asked_of_knot();
  auto solver = make_dns01_solver(options, environment({{"RFC2136_NAMESERVER", knot().server()},
                                                        {"LEGO_DISABLE_CNAME_SUPPORT", "true"}}));
  ASSERT_TRUE(solver) << solver.error().what;

  const auto done = (*solver)->present({.name = "www.example.test", .token = "a"}, "a.print", {});

  EXPECT_THAT(done.error().detail, HasSubstr("zone example.test"));
}

}  // namespace
}  // namespace fairlead::acme::dns
