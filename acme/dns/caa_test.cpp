#include "acme/dns/caa.h"

#include <gtest/gtest.h>

namespace fairlead::acme::dns {
namespace {

const std::vector<std::string> kOurs = {"letsencrypt.org"};

CaaProperty property(std::string tag, std::string value, bool critical = false) {
  return {critical, std::move(tag), std::move(value)};
}

TEST(Caa, AllowsTheIssuerThatIsNamed) {
  EXPECT_TRUE(caa_verdict(
      "a.example", "example",
      {property("issue", "other.example"), property("issue", " LetsEncrypt.org ; accounturi=x")}, kOurs));
}

TEST(Caa, RefusesAnIssuerThatIsNotNamedAndSaysWhoIs) {
  const auto verdict = caa_verdict("a.example", "example", {property("issue", "other.example")}, kOurs);

  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().detail,
            "the CAA records of example (issue) let other.example issue for a.example; add one for "
            "letsencrypt.org, or use another authority");
}

TEST(Caa, AnEmptyIssuerForbidsAll) {
  EXPECT_FALSE(caa_verdict("a.example", "example", {property("issue", ";")}, kOurs));
}

TEST(Caa, RecordsThatRestrictNothingAllow) {
  EXPECT_TRUE(caa_verdict("a.example", "example", {property("iodef", "mailto:x@example")}, kOurs));
  EXPECT_TRUE(caa_verdict("a.example", "example", {property("issuewild", ";")}, kOurs));
}

TEST(Caa, WildcardsFollowTheirOwnRuleWhereThereIsOne) {
  const std::vector<CaaProperty> both = {property("issue", "letsencrypt.org"),
                                         property("issuewild", "other.example")};

  EXPECT_FALSE(caa_verdict("*.example", "example", both, kOurs));
  EXPECT_TRUE(caa_verdict("example", "example", both, kOurs));
  EXPECT_TRUE(caa_verdict("*.example", "example", {property("issue", "letsencrypt.org")}, kOurs));
}

TEST(Caa, AnUnknownCriticalPropertyForbids) {
  EXPECT_FALSE(caa_verdict("a.example", "example",
                           {property("future", "x", true), property("issue", "letsencrypt.org")}, kOurs));
  EXPECT_TRUE(caa_verdict("a.example", "example", {property("future", "x")}, kOurs));
}

}  // namespace
}  // namespace fairlead::acme::dns
