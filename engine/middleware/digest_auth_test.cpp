#include "engine/middleware/digest_auth.h"

#include "engine/middleware/credentials.h"
#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace fairlead::middleware {
namespace {

using exchange::Response;
using testing::HasSubstr;
using namespace std::chrono_literals;

std::string md5(std::string_view text) {
  unsigned char digest[16];
  EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_md5(), nullptr);
  std::string out;
  for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

// MD5("test:traefik:test")
const std::string kEntry = "test:traefik:" + md5("test:traefik:test");

struct Answering {
  std::string user = "test";
  std::string password = "test";
  std::string nonce;
  std::string opaque;
  std::string nc = "00000001";
  std::string uri = "/dir/?q=1";
  std::string qop = "auth";

  std::string header() const {
    const std::string ha1 = md5(user + ":traefik:" + password);
    const std::string proof = md5(ha1 + ':' + nonce + ':' + nc + ":c0:auth:" + md5("GET:" + uri));
    return fmt::format(
        R"(Digest username="{}", realm="traefik", nonce="{}", uri="{}", response="{}", opaque="{}", qop={}, nc={}, cnonce="c0")",
        user, nonce, uri, proof, opaque, qop, nc);
  }
};

Response ask(const test::Made& made, const std::string& authorization, test::TestExchange& x) {
  if (!authorization.empty()) x.header("Authorization", authorization);
  return test::run(*made, x);
}
Response ask(const test::Made& made, const std::string& authorization, std::string* challenge = nullptr) {
  test::TestExchange x = test::get("/dir/?q=1");
  Response response = ask(made, authorization, x);
  if (challenge) *challenge = response.head.fields.get("WWW-Authenticate");
  response.head.clear();
  return response;
}
int status_of(const test::Made& made, const std::string& authorization) {
  test::TestExchange x = test::get("/dir/?q=1");
  return ask(made, authorization, x).head.status;
}

Answering begin(const test::Made& made) {
  test::TestExchange x = test::get("/dir/?q=1");
  const Response response = test::run(*made, x);
  const auto parameters = parse_digest(response.head.fields.get("WWW-Authenticate")).value();
  Answering answering;
  answering.nonce = parameters.at("nonce");
  answering.opaque = parameters.at("opaque");
  return answering;
}

TEST(DigestAuth, LetsTheRightProofPass) {
  const test::Made made("digestAuth",
                        {{"users", kEntry}, {"headerField", "X-User"}, {"removeHeader", "true"}});
  ASSERT_TRUE(made) << made.error();
  const Answering right = begin(made);
  test::TestExchange x = test::get("/dir/?q=1");
  x.header("x_user", "admin");

  EXPECT_EQ(ask(made, right.header(), x).head.status, 200);

  ASSERT_EQ(x.request.fields.size(), 1u);
  EXPECT_EQ(x.request.fields.get("X-User"), "test");
  EXPECT_EQ(x.record.user, "test");
}

TEST(DigestAuth, TakesTheWholeUriOfTheTarget) {
  const test::Made made("digestAuth", {{"users", kEntry}});
  Answering answering = begin(made);
  test::TestExchange x = test::get("/dir/?q=1");
  const std::string host(x.request.authority);
  const auto with = [&](std::string uri) {
    answering.uri = std::move(uri);
    return status_of(made, answering.header());
  };

  EXPECT_EQ(with("http://other/dir/?q=1"), 401);
  EXPECT_EQ(with("http://" + host + "/dir/?q=2"), 401);
  EXPECT_EQ(with("http://" + host), 401);
  EXPECT_EQ(with("http://" + host + "/dir/?q=1"), 200);
}

TEST(DigestAuth, RefusesEverythingElse) {
  const test::Made made("digestAuth", {{"users", kEntry}});
  const Answering right = begin(made);
  const auto with = [&](auto change) {
    Answering wrong = right;
    change(wrong);
    return status_of(made, wrong.header());
  };

  EXPECT_EQ(with([](Answering& a) { a.password = "Test"; }), 401);
  EXPECT_EQ(with([](Answering& a) { a.user = "other"; }), 401);
  EXPECT_EQ(with([](Answering& a) { a.user = ""; }), 401);
  EXPECT_EQ(with([](Answering& a) { a.uri = "/"; }), 401);
  EXPECT_EQ(with([](Answering& a) { a.nonce[3] = a.nonce[3] == '0' ? '1' : '0'; }), 401);
  EXPECT_EQ(with([](Answering& a) { a.nonce = "abc"; }), 401);
  EXPECT_EQ(with([](Answering& a) { a.opaque = "x"; }), 401);
  EXPECT_EQ(with([](Answering& a) { a.qop = "auth-int"; }), 401);
  EXPECT_EQ(with([](Answering& a) { a.nc = "1"; }), 401);
  EXPECT_EQ(with([](Answering& a) { a.nc = "00000000"; }), 401);
  EXPECT_EQ(status_of(made, "Digest"), 401);
  EXPECT_EQ(status_of(made, R"(Digest username="test)"), 401);
  EXPECT_EQ(with([](Answering&) {}), 200);
}

TEST(DigestAuth, SaysToTheLogsWhyButNotWhetherTheUserIsKnown) {
  const test::Made made("digestAuth", {{"users", kEntry}});
  const Answering right = begin(made);
  const auto why = [&](const std::string& authorization) {
    test::TestExchange x = test::get("/dir/?q=1");
    EXPECT_EQ(ask(made, authorization, x).head.status, 401);
    return x.record.cause ? x.record.cause->detail : "";
  };
  const auto with = [&](auto change) {
    Answering wrong = right;
    change(wrong);
    return why(wrong.header());
  };

  EXPECT_EQ(why(""), "digestAuth: no credentials");
  EXPECT_EQ(why("Basic dGVzdDp0ZXN0"), "digestAuth: credentials of another kind, or malformed");
  EXPECT_EQ(with([](Answering& a) { a.password = "Test"; }), "digestAuth: unknown user or wrong password");
  EXPECT_EQ(with([](Answering& a) { a.user = "other"; }), "digestAuth: unknown user or wrong password");
  EXPECT_EQ(with([](Answering& a) { a.uri = "/"; }), "digestAuth: not an answer to what was asked");
  EXPECT_EQ(with([](Answering& a) { a.nonce = "abc"; }),
            "digestAuth: a nonce that was not given since the start");
}

TEST(DigestAuth, AnUnknownUserWithAnEmptySecretIsRefused) {
  const test::Made made("digestAuth", {{"users", kEntry}});
  const Answering right = begin(made);
  const std::string proof = md5(":" + right.nonce + ":00000001:c0:auth:" + md5("GET:/dir/?q=1"));

  EXPECT_EQ(
      status_of(made, fmt::format(R"(Digest username="ghost", realm="traefik", nonce="{}", uri="/dir/?q=1", )"
                                  R"(response="{}", opaque="{}", qop=auth, nc=00000001, cnonce="c0")",
                                  right.nonce, proof, right.opaque)),
      401);
}

TEST(DigestAuth, ACountIsGoodOnce) {
  const test::Made made("digestAuth", {{"users", kEntry}});
  Answering answering = begin(made);
  EXPECT_EQ(status_of(made, answering.header()), 200);
  answering.nc = "00000003";
  EXPECT_EQ(status_of(made, answering.header()), 200);
  answering.nc = "00000002";
  EXPECT_EQ(status_of(made, answering.header()), 200) << "one request overtook another";

  std::string challenge;
  ask(made, answering.header(), &challenge);

  EXPECT_THAT(challenge, HasSubstr("stale=true"));
}

TEST(DigestNonces, GrowOldAndAreTold) {
  DigestNonces nonces;
  const TimePoint now{1h};
  const std::string nonce = nonces.make(now);

  EXPECT_EQ(nonces.check(nonce, now + 1h), DigestNonces::Verdict::Fresh);
  EXPECT_EQ(nonces.check(nonce, now + 1h + 1ns), DigestNonces::Verdict::Stale);
  EXPECT_EQ(DigestNonces().check(nonce, now), DigestNonces::Verdict::Unknown) << "another middleware's";
}

TEST(DigestNonces, AreBoundedWithoutLettingACountBeUsedTwice) {
  DigestNonces nonces;
  std::vector<std::string> made;
  for (int i = 0; i < 6000; ++i) made.push_back(nonces.make(TimePoint{1h} + std::chrono::seconds(i)));
  for (const std::string& nonce : made) EXPECT_EQ(nonces.use(nonce, 1), DigestNonces::Verdict::Fresh);

  EXPECT_EQ(nonces.use(made.front(), 1), DigestNonces::Verdict::Stale);
  EXPECT_EQ(nonces.use(made.front(), 2), DigestNonces::Verdict::Stale) << "no longer kept";
  EXPECT_EQ(nonces.use(made.back(), 2), DigestNonces::Verdict::Fresh);
}

TEST(DigestAuth, RefusesEntriesThatCannotWork) {
  EXPECT_THAT(test::Made("digestAuth", {{"users", "a:b"}}).error(), HasSubstr("name:realm:HA1"));
  EXPECT_THAT(test::Made("digestAuth", {{"users", "a:b:c"}}).error(), HasSubstr("hexadecimal"));
}

TEST(DigestAuth, TellsOfUsersWhoseRealmIsNotTheOneAskedFor) {
  const test::Made made("digestAuth", {{"users", kEntry}, {"realm", "shop"}});

  ASSERT_EQ(made.making.notices.size(), 1u);
  EXPECT_EQ(
      made.making.notices[0].what,
      R"((test) belongs to the realm "traefik", and "shop" is asked for; nobody can log in as this user)");
  EXPECT_TRUE(test::Made("digestAuth", {{"users", kEntry}}).making.notices.empty());
}

}  // namespace
}  // namespace fairlead::middleware
