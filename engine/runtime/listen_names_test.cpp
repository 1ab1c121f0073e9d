#include "engine/runtime/listen_names.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace fairlead::runtime {
namespace {

using std::chrono::steady_clock;

const net::ListenAddress kNamed{"lead.example", 80};

TimePoint soon() { return steady_clock::now() + std::chrono::minutes(1); }

TEST(ListenNames, DoNotMakeAnybodyWaitForNameServersThatAreSlow) {
  static std::latch answers(1);
  ListenNames names([](const net::ListenAddress&) -> ListenNames::Places {
    answers.wait();
    return std::vector{net::BindAddress{}};
  });

  const auto early = names.find(kNamed, steady_clock::now(), true);

  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().detail, "listen on lead.example:80: the name servers have not answered yet");

  answers.count_down();
  EXPECT_TRUE(names.find(kNamed, soon(), false)) << "the look-up went on";
}

TEST(ListenNames, SayWhatWasWrongLastWhileTheyAskAgain) {
  static std::atomic<int> asked = 0;
  static std::latch answers(1);
  ListenNames names([](const net::ListenAddress&) -> ListenNames::Places {
    if (++asked > 1) answers.wait();
    return fail(500, Fault::Proxy, "not found");
  });

  EXPECT_FALSE(names.find(kNamed, soon(), true));
  const auto again = names.find(kNamed, steady_clock::now(), true);

  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().detail, "not found");
  answers.count_down();
}

TEST(ListenNames, LetANameRestThatWasNotFound) {
  static std::atomic<int> asked = 0;
  ListenNames names([](const net::ListenAddress&) -> ListenNames::Places {
    ++asked;
    return fail(500, Fault::Proxy, "not found");
  });

  for (int i = 0; i < 3; ++i) EXPECT_FALSE(names.find(kNamed, soon(), false));
  EXPECT_EQ(asked, 1);

  EXPECT_FALSE(names.find(kNamed, soon(), true));
  EXPECT_EQ(asked, 2) << "the configuration changed, and perhaps the name servers with it";
}

TEST(ListenNames, TakeAddressesAsTheyAre) {
  ListenNames names;

  for (const char* host : {"", "127.0.0.1", "::1"})
    EXPECT_TRUE(names.find({host, 80}, TimePoint{}, false)) << host;
}

}  // namespace
}  // namespace fairlead::runtime
