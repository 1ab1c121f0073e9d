#include "acme/messages.h"

#include "acme/client.h"

#include <gtest/gtest.h>

namespace fairlead::acme {
namespace {

using namespace std::chrono_literals;

TEST(Messages, ReadsADirectory) {
  const auto read = read_directory(
      R"({"newNonce":"https://ca/n","newAccount":"https://ca/a","newOrder":"https://ca/o","renewalInfo":"https://ca/r",
          "meta":{"externalAccountRequired":true,"profiles":{"shortlived":"six days"}}})");

  ASSERT_TRUE(read);
  EXPECT_EQ(read->renewal_info, "https://ca/r");
  EXPECT_TRUE(read->needs_external_account);
  EXPECT_EQ(read->profiles.at("shortlived"), "six days");
}

TEST(Messages, RefusesWhatIsNone) {
  for (const char* text :
       {"", "[]", "null", "{}", "<html>", R"({"newNonce":1,"newAccount":[],"newOrder":{}})",
        R"({"newNonce":"file:///etc/passwd","newAccount":"https://a","newOrder":"https://o"})"})
    EXPECT_FALSE(read_directory(text)) << text;
  EXPECT_FALSE(read_order(R"({"status":"ready"})"));
  EXPECT_FALSE(read_authorization(R"({"status":"pending","identifier":"a"})"));
}

TEST(Messages, ReadsProblemsInTheAuthoritysWords) {
  const Problem problem =
      read_problem(403, R"({"type":"urn:ietf:params:acme:error:caa","detail":"CAA says no",
      "subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"no","identifier":{"type":"dns","value":"A.test"}}]})");

  EXPECT_EQ(problem.type, "caa");
  EXPECT_EQ(problem.status, 403);
  ASSERT_EQ(problem.parts.size(), 1U);
  EXPECT_EQ(problem.parts[0].name, "a.test");
  EXPECT_FALSE(meaning(problem.type).empty());
  EXPECT_EQ(read_problem(502, "<html>\nBad Gateway").text(), "status 502: <html>");
  EXPECT_EQ(read_problem(500, "a\x1b[31mb").text().find('\x1b'), std::string::npos)
      << "no control bytes in logs";
  EXPECT_EQ(read_problem(403, R"({"type":"a","detail":"x\u202ey\u009bz\u2028é\u2066"})").detail, "x y z é ")
      << "nor what turns a line around";
  const std::string long_text =
      read_problem(500, "{\"type\":\"a\",\"detail\":\"x" + std::string(2000, '\xc3') + "\"}").text();
  EXPECT_EQ(long_text.find('\xc3'), std::string::npos) << "nor half a character";
}

TEST(Messages, TellWhatAnAccountLacksFromWhatANameLacks) {
  EXPECT_NE(meaning("unauthorized").find("another server"), std::string_view::npos);
  EXPECT_NE(meaning_for_account("unauthorized").find("eab.kid"), std::string_view::npos);
  EXPECT_EQ(meaning_for_account("rateLimited"), meaning("rateLimited"));
}

TEST(Messages, ReadsTimes) {
  const WallTime time(1'700'000'000s);

  EXPECT_EQ(time_text(time), "2023-11-14T22:13:20Z");
  EXPECT_EQ(read_time("2023-11-14T22:13:20Z"), time);
  EXPECT_EQ(read_time("2023-11-14T22:13:20.999999999Z"), time);
  EXPECT_EQ(read_time("2023-11-15T00:13:20+02:00"), time);
  for (const char* bad : {"", "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z",
                          "9999-01-01T00:00:00Z", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+2:00"})
    EXPECT_FALSE(read_time(bad)) << bad;
}

TEST(Messages, ReadsRetryAfter) {
  const WallTime now(1'700'000'000s);

  EXPECT_EQ(read_retry_after("120", now), 120s);
  EXPECT_EQ(read_retry_after("Tue, 14 Nov 2023 22:14:20 GMT", now), 60s);
  EXPECT_EQ(read_retry_after("Tue, 14 Nov 2000 22:14:20 GMT", now), 0s);
  for (const char* long_time :
       {"99999999999999999", "315360000", "999999999999999999999", "Thu, 14 Nov 2199 22:14:20 GMT"})
    EXPECT_EQ(read_retry_after(long_time, now), kLongestPatience) << long_time;
  EXPECT_FALSE(read_retry_after("soon", now));
  EXPECT_FALSE(read_retry_after("-5", now));
}

TEST(Messages, RefusesWindowsThatEndBeforeTheyStart) {
  EXPECT_TRUE(read_renewal_window(
      R"({"suggestedWindow":{"start":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"}})"));
  EXPECT_FALSE(read_renewal_window(
      R"({"suggestedWindow":{"start":"2026-01-02T00:00:00Z","end":"2026-01-01T00:00:00Z"}})"));
}

TEST(Messages, FindsAlternateLinks) {
  const HttpResponse response{
      .status = 200,
      .headers = {{"link", R"(<https://ca/index>;rel="index")"},
                  {"link", R"(<https://ca/1,2>; rel="alternate", <https://ca/3>;rel=alternate)"}},
      .body = {},
      .redirect = {}};

  EXPECT_EQ(links(response, "alternate"), (std::vector<std::string>{"https://ca/1,2", "https://ca/3"}));
}

TEST(Trouble, TellsTheAuthoritysFaultFromOurs) {
  Trouble trouble;
  trouble.kind = Trouble::Kind::Refused;
  trouble.problem.status = 403;
  trouble.problem.type = "unauthorized";
  EXPECT_FALSE(trouble.is_of_authority());
  trouble.problem.status = 503;
  EXPECT_TRUE(trouble.is_of_authority());
}

}  // namespace
}  // namespace fairlead::acme
