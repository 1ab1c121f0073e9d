#include "acme/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::acme {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

using Names = std::vector<std::string>;

class Planning : public testing::Test {
 protected:
  Planning() {
    input_.now = WallTime(1'700'000'000s);
    input_.state = [this](const std::string&, const std::string& name) -> const NameState* {
      const auto found = states_.find(name);
      return found == states_.end() ? nullptr : &found->second;
    };
    input_.closed_until = [this](const std::string&) { return closed_; };
  }
  void want(Names names, const char* resolver = "le") {
    input_.wanted.push_back(
        {.resolver = resolver, .names = std::move(names), .routers = {"http/web@docker"}});
  }
  void have(Names names, Duration left, Duration until_renewal, bool issued = true) {
    input_.in_hand.push_back({.names = names,
                              .not_after = input_.now + left,
                              .renew_at = input_.now + until_renewal,
                              .fingerprint = names.front() + std::to_string(input_.in_hand.size()),
                              .issued = issued});
  }
  void failed(const std::string& name, Duration again_in) {
    states_[name] = {.failures = 1, .since = {}, .next_try = input_.now + again_in, .type = {}, .detail = {}};
  }
  std::vector<Names> orders() {
    plan_ = make_plan(input_);
    std::vector<Names> out;
    for (const Task& task : plan_.tasks) out.push_back(task.names);
    return out;
  }

  PlanInput input_;
  Plan plan_;
  std::map<std::string, NameState> states_;
  WallTime closed_{};
};

TEST_F(Planning, OrdersOneCertificateForAllNamesThatAreWantedTogether) {
  want({"a.test", "b.test"});

  EXPECT_THAT(orders(), ElementsAre(Names{"a.test", "b.test"}));
}

TEST_F(Planning, OrdersNothingForWhatIsCovered) {
  want({"a.test"});
  want({"x.wild.test"});
  want({"file.test"});
  have({"a.test", "b.test"}, 24h, 12h);
  have({"*.wild.test"}, 24h, 12h);
  have({"file.test"}, 24h, 0h, false);

  EXPECT_THAT(orders(), IsEmpty());
  EXPECT_EQ(plan_.next, input_.now + 12h) << "the first renewal";
  EXPECT_EQ(plan_.used.size(), 2U) << "configured certificates are their owner's business";
}

TEST_F(Planning, OrdersAllNamesWhenOneIsUncovered) {
  want({"a.test", "b.test"});
  have({"a.test"}, 24h, 12h);

  EXPECT_THAT(orders(), ElementsAre(Names{"a.test", "b.test"}));
}

TEST_F(Planning, BelievesNoTimeThatAClockNotedWhichWasAhead) {
  want({"ahead.test"});
  want({"far.test"});
  want({"week.test"});
  states_["ahead.test"] = {.failures = 1,
                           .since = input_.now + 24h,
                           .next_try = input_.now + 24h + 2min,
                           .type = {},
                           .detail = {}};
  failed("far.test", 24h * 400);
  failed("week.test", 24h * 7);

  EXPECT_THAT(orders(), ElementsAre(Names{"ahead.test"}, Names{"far.test"}));
  EXPECT_EQ(plan_.next, input_.now + 24h * 7) << "a limit of the authority lasts that long";
}

TEST_F(Planning, TakesExpiredCertificatesForNone) {
  want({"a.test"});
  have({"a.test"}, -1s, -1h);

  EXPECT_THAT(orders(), ElementsAre(Names{"a.test"}));
}

TEST_F(Planning, PrefersWildcardsAndLargerSetsAndWaitsForThem) {
  want({"a.test"});
  want({"x.wild.test"});
  want({"*.wild.test"});
  want({"a.test", "b.test"});

  EXPECT_THAT(orders(), ElementsAre(Names{"*.wild.test"}, Names{"a.test", "b.test"}));

  input_.busy = {"*.wild.test", "a.test", "b.test"};
  EXPECT_THAT(orders(), IsEmpty()) << "their end is an event";
}

TEST_F(Planning, LeavesFailedNamesOutUntilTheirTimeComesAndThenOrdersThemAlone) {
  want({"a.test", "bad.test"});
  failed("bad.test", 5min);
  EXPECT_THAT(orders(), ElementsAre(Names{"a.test"}));
  EXPECT_EQ(plan_.next, input_.now + 5min);

  have({"a.test"}, 24h, 12h);
  EXPECT_THAT(orders(), IsEmpty());

  failed("bad.test", -1s);
  EXPECT_THAT(orders(), ElementsAre(Names{"bad.test"}));
}

TEST_F(Planning, TriesAllTogetherWhenNoneHasACertificate) {
  want({"a.test", "b.test"});
  failed("a.test", -1s);
  failed("b.test", -1s);

  EXPECT_THAT(orders(), ElementsAre(Names{"a.test", "b.test"}));
}

TEST_F(Planning, RenewsWithTheNamesThatAreWantedNow) {
  want({"a.test", "late.test"});
  have({"a.test"}, 24h, -1s);
  have({"late.test"}, 48h, 24h);

  EXPECT_THAT(orders(), ElementsAre(Names{"a.test", "late.test"})) << "the next renewal holds all";
  EXPECT_EQ(plan_.tasks[0].replaces, "a.test0");
}

TEST_F(Planning, RenewsOnceForAllThatUseACertificate) {
  want({"*.wild.test"});
  want({"a.wild.test"});
  want({"b.wild.test"});
  have({"*.wild.test"}, 24h, -1s);

  EXPECT_THAT(orders(), ElementsAre(Names{"*.wild.test"}));
}

TEST_F(Planning, RenewsNothingThatNobodyUses) {
  have({"a.test"}, 24h, -1s);

  EXPECT_THAT(orders(), IsEmpty());
  EXPECT_THAT(plan_.used, IsEmpty());
}

TEST_F(Planning, LeavesAClosedAuthorityAlone) {
  want({"a.test"});
  closed_ = input_.now + 10min;

  EXPECT_THAT(orders(), IsEmpty());
  EXPECT_EQ(plan_.next, closed_);
}

TEST_F(Planning, OrdersNothingForStoppedOwners) {
  want({"a.test"});
  input_.wanted[0].may_order = false;
  have({"a.test"}, 24h, -1s);

  EXPECT_THAT(orders(), IsEmpty());
  EXPECT_EQ(plan_.used.size(), 1U) << "what there is stays in use";
}

TEST_F(Planning, PutsWhatNeverFailedFirst) {
  want({"a.test"});
  want({"z.test"});
  failed("a.test", -1s);

  EXPECT_THAT(orders(), ElementsAre(Names{"z.test"}, Names{"a.test"}));
}

TEST_F(Planning, PlansTenThousandNamesQuickly) {
  for (int i = 0; i < 10'000; ++i) {
    want({"n" + std::to_string(i) + ".test"});
    if (i % 2 == 0) have({"n" + std::to_string(i) + ".test"}, 24h, 12h);
  }

  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(orders().size(), 5'000U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST(Renewal, IsAtTwoThirdsOfTheLifetimeOrABitEarlier) {
  const WallTime begin(1'700'000'000s);
  for (const Duration life : {Duration(10s), Duration(6 * 24h), Duration(90 * 24h)})
    for (const char* fingerprint : {"a", "b", "c", "d"}) {
      const WallTime at = renewal_time(begin, begin + life, fingerprint);
      EXPECT_LE(at, begin + life / 3 * 2);
      EXPECT_GE(at, begin + life / 100 * 61);
    }
}

TEST(Renewal, FollowsTraefiksScheduleWhereTheDurationWasSet) {
  EXPECT_EQ(renewal_lead(8760), 120 * 24h);
  EXPECT_EQ(renewal_lead(8759), 30 * 24h);
  EXPECT_EQ(renewal_lead(720), 10 * 24h);
  EXPECT_EQ(renewal_lead(144), 2 * 24h);
  EXPECT_EQ(renewal_lead(24), 6h);
  EXPECT_EQ(renewal_lead(1), 20min);
}

TEST(BackOff, GrowsFromMinutesToADay) {
  EXPECT_EQ(name_back_off(1, 0.5), 2min);
  EXPECT_EQ(name_back_off(10, 0.5), 24h);
  EXPECT_EQ(name_back_off(1000, 0.5), 24h);
  Duration five{};
  for (int i = 1; i < 5; ++i) five += name_back_off(i, 0);
  EXPECT_LT(five, 1h) << "the fifth try comes within an hour, the sixth does not";
  EXPECT_GT(five + name_back_off(5, 0), 1h);
  EXPECT_EQ(authority_back_off(1, 0.5), 5s);
  EXPECT_EQ(authority_back_off(100, 0.5), 30min);
}

}  // namespace
}  // namespace fairlead::acme
