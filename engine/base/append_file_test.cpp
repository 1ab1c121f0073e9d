#include "engine/base/append_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace fairlead {
namespace {

namespace fs = std::filesystem;

class AppendFile : public testing::Test {
 protected:
  AppendFile() {
    std::string pattern = fs::temp_directory_path() / "fairlead-append-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~AppendFile() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(AppendFile, IsMadeWithItsDirectoriesAndAppendedTo) {
  const std::string path = folder_ / "logs" / "web" / "access.log";

  for (int i = 0; i < 2; ++i) {
    const auto file = open_for_appending(path, 0664);
    ASSERT_TRUE(file) << file.error();
    ASSERT_EQ(::write(file->get(), "x\n", 2), 2);
  }

  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "x\nx\n");
}

TEST_F(AppendFile, APipeThatNobodyReadsIsRefusedAtOnce) {
  const std::string path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);

  const auto file = open_for_appending(path, 0664);

  ASSERT_FALSE(file);
  EXPECT_EQ(file.error(), "a pipe or socket that nobody reads");
}

TEST_F(AppendFile, ADirectoryIsTold) {
  const auto file = open_for_appending(folder_, 0664);

  ASSERT_FALSE(file);
  EXPECT_THAT(file.error(), testing::StartsWith("Is a directory"));
}

}  // namespace
}  // namespace fairlead
