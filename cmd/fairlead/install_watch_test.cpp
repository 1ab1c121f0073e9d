#include "cmd/fairlead/install_watch.h"

#include "tests/support/without_descriptors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace fairlead::cmd {
namespace {

using namespace std::chrono_literals;

class InstallWatches : public testing::Test {
 protected:
  InstallWatches() { write("ping: {}\n"); }
  ~InstallWatches() override { std::filesystem::remove(path_); }

  void write(const std::string& text) const {
    const std::string beside = path_ + ".new";
    std::ofstream(beside) << text;
    std::filesystem::rename(beside, path_);
  }
  void empty() const { std::ofstream(path_, std::ios::trunc).flush(); }

  const std::string path_ = testing::TempDir() + "install_watch_" + std::to_string(::getpid()) + ".yml";
  const InstallWatch::TimePoint start_{};
};

TEST_F(InstallWatches, AChangeIsDueOnceWhenItHasStoodForAMoment) {
  InstallWatch watch(path_);

  EXPECT_FALSE(watch.due(path_, start_));
  write("ping: {entryPoint: web}\n");
  EXPECT_FALSE(watch.due(path_, start_ + 1s)) << "its writer may still be at work";
  EXPECT_TRUE(watch.unsettled());
  EXPECT_TRUE(watch.due(path_, start_ + 1s + 100ms));
  EXPECT_FALSE(watch.due(path_, start_ + 2s));
}

TEST_F(InstallWatches, AnEmptyFileIsAWriterAtWorkForTwoSeconds) {
  InstallWatch watch(path_);

  empty();
  EXPECT_FALSE(watch.due(path_, start_));
  EXPECT_FALSE(watch.due(path_, start_ + 1900ms));
  EXPECT_TRUE(watch.due(path_, start_ + 2s)) << "then empty means empty";
}

TEST_F(InstallWatches, OutOfDescriptorsAChangeWaitsToBeRead) {
  InstallWatch watch(path_);
  write("ping: {entryPoint: web}\n");

  {
    const test::WithoutDescriptors none;
    watch.reading(path_);
    EXPECT_FALSE(watch.due(path_, start_ + 1h));
  }

  EXPECT_TRUE(watch.due(path_, start_ + 2h));
  EXPECT_FALSE(watch.due(path_, start_ + 3h));
}

TEST_F(InstallWatches, WhoMayReadItCounts) {
  InstallWatch watch(path_);

  std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  EXPECT_FALSE(watch.due(path_, start_));
  EXPECT_TRUE(watch.due(path_, start_ + 100ms));
}

TEST_F(InstallWatches, AFileThatIsGoneSaysNothingAndCountsWhenItIsBack) {
  InstallWatch watch(path_);

  std::filesystem::remove(path_);
  EXPECT_FALSE(watch.due(path_, start_));
  EXPECT_FALSE(watch.due(path_, start_ + 1h));
  EXPECT_FALSE(watch.unsettled());
  write("ping: {entryPoint: web}\n");
  EXPECT_FALSE(watch.due(path_, start_ + 1h + 1s));
  EXPECT_TRUE(watch.due(path_, start_ + 1h + 2s));
}

}  // namespace
}  // namespace fairlead::cmd
