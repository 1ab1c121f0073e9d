#include "engine/observe/troubles.h"

#include "engine/observe/test_facts.h"

#include <gtest/gtest.h>

namespace fairlead::observe {
namespace {

using test::SomeFacts;

class TroublesTest : public ::testing::Test {
 protected:
  TroublesTest() {
    record_.status = 502;
    record_.reason = "unreachable";
    record_.cause = Error{502, Fault::Upstream, true, "connect 172.17.0.2:80: refused"};
  }
  std::string after(std::chrono::seconds time) {
    record_.ended += time;
    return troubles_.line(record_);
  }

  SomeFacts some_;
  Record& record_ = some_.record;
  Troubles troubles_;
};

TEST_F(TroublesTest, AreToldWhenTheyBegin) {
  EXPECT_EQ(troubles_.line(record_), "router shop@docker: answered 502: connect 172.17.0.2:80: refused");
}

TEST_F(TroublesTest, AreCountedForAMinute) {
  troubles_.line(record_);

  EXPECT_EQ(after(std::chrono::seconds(1)), "");
  EXPECT_EQ(after(std::chrono::seconds(58)), "");
  EXPECT_EQ(
      after(std::chrono::seconds(1)),
      "router shop@docker: answered 502: connect 172.17.0.2:80: refused (2 more like it in the 60 s before)");
  EXPECT_EQ(after(std::chrono::seconds(1)), "");
  EXPECT_EQ(after(std::chrono::seconds(3600)),
            "router shop@docker: answered 502: connect 172.17.0.2:80: refused (1 more like it in the 3601 s "
            "before)");
}

TEST_F(TroublesTest, OfAnotherServerOrClassAreToldToo) {
  troubles_.line(record_);

  record_.server_url = "http://172.17.0.3:80";
  EXPECT_NE(troubles_.line(record_), "");
  record_.reason = "no answer in time";
  EXPECT_NE(troubles_.line(record_), "");
  record_.router = "blog@docker";
  EXPECT_NE(troubles_.line(record_), "");
  EXPECT_EQ(troubles_.line(record_), "");
}

TEST_F(TroublesTest, NameTheServerWhereTheReasonDoesNot) {
  record_.cause->detail = "no head in time";
  record_.status = 504;

  EXPECT_EQ(troubles_.line(record_),
            "router shop@docker: answered 504: server http://172.17.0.2:80: no head in time");
}

TEST_F(TroublesTest, InTheMiddleOfAnAnswerAreTold) {
  record_.cause->detail = "closed before the end of the body";
  record_.status = 200;

  EXPECT_EQ(
      troubles_.line(record_),
      "router shop@docker: an answer (200) broke off: server http://172.17.0.2:80: closed before the end of "
      "the body");
}

TEST_F(TroublesTest, BeforeARouterWasFoundNameTheEntryPoint) {
  record_.router = {};

  EXPECT_TRUE(troubles_.line(record_).starts_with("entry point web: answered 502: "));
}

TEST_F(TroublesTest, AreNoneOfTheClientAndOfWhatWentWell) {
  record_.cause->fault = Fault::Client;
  EXPECT_EQ(troubles_.line(record_), "");
  record_.cause->fault = Fault::Proxy;
  record_.internal = true;
  EXPECT_EQ(troubles_.line(record_), "");
  record_.internal = false;
  record_.status = 101;
  EXPECT_EQ(troubles_.line(record_), "") << "a tunnel that ended";
  record_.cause.reset();
  EXPECT_EQ(troubles_.line(record_), "");
}

TEST_F(TroublesTest, OfManyKindsAreBounded) {
  int told = 0;
  std::string url;
  for (int i = 0; i < 2000; ++i) {
    url = "http://10.0.0.1:" + std::to_string(i);
    record_.server_url = url;
    if (!troubles_.line(record_).empty()) ++told;
  }
  EXPECT_EQ(told, 512);

  EXPECT_NE(after(std::chrono::seconds(60)), "") << "the older ones have passed";
}

}  // namespace
}  // namespace fairlead::observe
