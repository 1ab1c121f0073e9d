#include "providers/file/file.h"

#include "tests/support/as_nobody.h"
#include "tests/support/recording_sink.h"
#include "tests/support/without_descriptors.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

namespace fairlead::providers::file {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using fairlead::test::RecordingSink;

class FileProvider : public testing::Test {
 protected:
  FileProvider() {
    char pattern[] = "/tmp/file-provider-XXXXXX";
    root_ = ::mkdtemp(pattern);
  }
  ~FileProvider() override {
    if (provider_) provider_->stop();
    fs::remove_all(root_);
  }

  void write(const fs::path& name, const std::string& host) {
    std::ofstream(root_ / name) << "http:\n  routers:\n    r:\n      rule: Host(`" << host
                                << "`)\n      service: s\n";
  }
  void start(model::FileProvider options) {
    provider_ = *File::make(options, {}, 10ms);
    provider_->start(sink_);
  }
  void watch_directory() {
    start({.directory = (root_ / "conf").string(),
           .watch = true,
           .filename = "",
           .debug_log_generated_template = false});
  }
  void watch_file(const fs::path& name) {
    start({.directory = "",
           .watch = true,
           .filename = (root_ / name).string(),
           .debug_log_generated_template = false});
  }
  bool comes(const std::string& host) {
    return sink_.wait_for([&](const model::Dynamic& d) {
      const auto found = d.http.routers.find("r");
      return found == d.http.routers.end() ? host.empty()
                                           : found->second.options.rule == "Host(`" + host + "`)";
    });
  }

  fs::path root_;
  RecordingSink sink_;
  std::unique_ptr<File> provider_;
};

TEST_F(FileProvider, FollowsAFileWrittenInPlaceAndByRename) {
  write("a.yml", "one");
  watch_file("a.yml");
  ASSERT_TRUE(comes("one"));

  write("a.yml", "two");
  EXPECT_TRUE(comes("two"));
  write("new", "three");
  fs::rename(root_ / "new", root_ / "a.yml");
  EXPECT_TRUE(comes("three"));
  EXPECT_TRUE(provider_->status().connected);
}

TEST_F(FileProvider, KeepsTheContentOfAFileThatIsAway) {
  write("a.yml", "one");
  watch_file("a.yml");
  ASSERT_TRUE(comes("one"));

  fs::remove(root_ / "a.yml");
  for (int i = 0; i < 6000 && provider_->status().connected; ++i) std::this_thread::sleep_for(10ms);

  EXPECT_FALSE(provider_->status().connected);
  EXPECT_TRUE(comes("one"));
  write("a.yml", "back");
  EXPECT_TRUE(comes("back"));
}

TEST_F(FileProvider, FollowsSymbolicLinksThatAreSwapped) {
  fs::create_directories(root_ / "v1");
  fs::create_directories(root_ / "v2");
  write("v1/a.yml", "one");
  write("v2/a.yml", "two");
  fs::create_directory_symlink("v1", root_ / "..data");
  fs::create_symlink("..data/a.yml", root_ / "a.yml");
  watch_file("a.yml");
  ASSERT_TRUE(comes("one"));

  fs::create_directory_symlink("v2", root_ / "..tmp");
  fs::rename(root_ / "..tmp", root_ / "..data");

  EXPECT_TRUE(comes("two"));
}

TEST_F(FileProvider, FollowsSubDirectoriesThatComeAndGo) {
  fs::create_directories(root_ / "conf/deep");
  watch_directory();
  ASSERT_TRUE(sink_.wait_for([](const model::Dynamic& d) { return d.http.routers.empty(); }));

  write("conf/deep/a.yml", "deep");
  EXPECT_TRUE(comes("deep"));
  fs::create_directories(root_ / "conf/new/er");
  write("conf/new/er/0.yml", "deep");
  fs::remove_all(root_ / "conf/deep");
  EXPECT_TRUE(sink_.wait_for([](const model::Dynamic& d) {
    return d.http.routers.contains("r") && d.http.routers.at("r").owner.ends_with("new/er/0.yml");
  }));
  write("conf/new/er/0.yml", "changed");
  EXPECT_TRUE(comes("changed"));
  fs::remove_all(root_ / "conf/new");
  EXPECT_TRUE(comes(""));
}

TEST_F(FileProvider, FollowsADirectoryThatIsReplacedAsAWhole) {
  fs::create_directories(root_ / "conf");
  fs::create_directories(root_ / "next");
  write("conf/a.yml", "one");
  write("next/a.yml", "two");
  watch_directory();
  ASSERT_TRUE(comes("one"));

  fs::rename(root_ / "conf", root_ / "old");
  fs::rename(root_ / "next", root_ / "conf");
  EXPECT_TRUE(comes("two"));
  write("conf/a.yml", "three");
  EXPECT_TRUE(comes("three"));
}

// As `docker run -v ./a.yml:/etc/fairlead/a.yml` does.
class Mounted {
 public:
  Mounted(const fs::path& from, const fs::path& at)
      : at_(at), is_done_(::mount(from.c_str(), at.c_str(), nullptr, MS_BIND, nullptr) == 0) {}
  ~Mounted() {
    if (is_done_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;
  bool is_done() const { return is_done_; }

 private:
  const fs::path at_;
  const bool is_done_;
};

TEST_F(FileProvider, FollowsAFileThatIsMountedAlone) {
  fs::create_directories(root_ / "host");
  fs::create_directories(root_ / "conf");
  write("host/a.yml", "one");
  write("conf/a.yml", "");
  const Mounted mounted(root_ / "host/a.yml", root_ / "conf/a.yml");
  if (!mounted.is_done()) GTEST_SKIP() << "mounting needs CAP_SYS_ADMIN";

  for (const bool alone : {true, false}) {
    alone ? watch_file("conf/a.yml") : watch_directory();
    ASSERT_TRUE(comes("one"));
    write("host/a.yml", "two");
    EXPECT_TRUE(comes("two")) << (alone ? "the file" : "the directory");
    provider_->stop();
    write("host/a.yml", "one");
  }
}

TEST_F(FileProvider, SaysThatAMountedFileWasReplacedOnTheHost) {
  fs::create_directories(root_ / "host");
  write("host/a.yml", "one");
  write("a.yml", "");
  const Mounted mounted(root_ / "host/a.yml", root_ / "a.yml");
  if (!mounted.is_done()) GTEST_SKIP() << "mounting needs CAP_SYS_ADMIN";
  watch_file("a.yml");
  ASSERT_TRUE(comes("one"));

  write("host/new", "two");
  fs::rename(root_ / "host/new", root_ / "host/a.yml");

  EXPECT_TRUE(sink_.wait_for([](const model::Dynamic& d) {
    return d.reasons.size() == 1 && d.reasons[0].text.find("was replaced on the host") != std::string::npos;
  }));
  EXPECT_TRUE(comes("one"));
}

TEST_F(FileProvider, WhatCannotBeListedKeepsTheContentOfItsFiles) {
  fs::permissions(root_, fs::perms::all);
  const test::AsNobody nobody;
  fs::create_directories(root_ / "conf/deep");
  write("conf/deep/a.yml", "one");
  watch_directory();
  ASSERT_TRUE(comes("one"));

  for (const fs::path closed : {"conf/deep", "conf"})
    for (const fs::perms mode : {fs::perms::none, fs::perms::owner_read, fs::perms::owner_exec}) {
      const int before = sink_.count();
      fs::permissions(root_ / closed, mode);
      const bool is_all = closed == "conf";
      if (is_all)
        for (int i = 0; i < 6000 && provider_->status().connected; ++i) std::this_thread::sleep_for(10ms);
      EXPECT_NE(provider_->status().connected, is_all);
      EXPECT_TRUE(sink_.wait_for([&](const model::Dynamic& d) {
        return is_all || (d.reasons.size() == 1 &&
                          d.reasons[0].text.ends_with("/deep: cannot be listed: Permission denied; "
                                                      "the last good content of its files stays"));
      })) << closed
          << " " << static_cast<int>(mode);
      EXPECT_TRUE(comes("one")) << closed << " " << static_cast<int>(mode);
      fs::permissions(root_ / closed, fs::perms::owner_all);
      for (int i = 0; i < 6000 && !provider_->status().connected; ++i) std::this_thread::sleep_for(10ms);
      EXPECT_TRUE(sink_.wait_for([](const model::Dynamic& d) { return d.reasons.empty(); }));
      EXPECT_TRUE(sink_.count() > before || is_all);
    }

  write("conf/deep/a.yml", "two");
  EXPECT_TRUE(comes("two"));
}

TEST_F(FileProvider, FindsADirectoryAgainWhoseParentsWereGone) {
  const fs::path home = root_;
  root_ /= "etc";
  fs::create_directories(root_ / "conf");
  write("conf/a.yml", "one");
  watch_directory();
  ASSERT_TRUE(comes("one"));

  fs::remove_all(root_);
  for (int i = 0; i < 6000 && provider_->status().connected; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(provider_->status().detail, (root_ / "conf").string() + ": does not exist");
  EXPECT_TRUE(comes("one"));
  fs::create_directories(root_ / "conf");
  write("conf/a.yml", "two");

  EXPECT_TRUE(comes("two"));
  root_ = home;
}

TEST_F(FileProvider, AHugeFileIsNotReadAtAll) {
  fs::create_directories(root_ / "conf");
  write("conf/a.yml", "one");
  std::ofstream(root_ / "conf/huge.yml").close();
  fs::resize_file(root_ / "conf/huge.yml", std::uintmax_t{1} << 40);  // takes no room on the disk
  watch_directory();

  EXPECT_TRUE(comes("one"));
  EXPECT_TRUE(sink_.wait_for([](const model::Dynamic& d) {
    return d.reasons.size() == 1 && d.reasons[0].text.find("larger than 64 MiB") != std::string::npos;
  }));
}

TEST_F(FileProvider, OutOfDescriptorsADirectoryIsNotTakenForEmptyAndIsReadLater) {
  fs::create_directories(root_ / "conf");
  write("conf/a.yml", "one");
  write("new", "two");
  watch_directory();
  ASSERT_TRUE(comes("one"));

  {
    const test::WithoutDescriptors none;
    fs::rename(root_ / "new", root_ / "conf/a.yml");
    for (int i = 0; i < 6000 && provider_->status().connected; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_FALSE(provider_->status().connected);
    EXPECT_TRUE(comes("one"));
  }

  EXPECT_TRUE(comes("two"));
  EXPECT_TRUE(provider_->status().connected);
}

TEST_F(FileProvider, OutOfDescriptorsAFileIsReadLater) {
  write("a.yml", "one");
  write("new", "two");
  watch_file("a.yml");
  ASSERT_TRUE(comes("one"));

  {
    const test::WithoutDescriptors none;
    fs::rename(root_ / "new", root_ / "a.yml");
    EXPECT_TRUE(sink_.wait_for([](const model::Dynamic& d) { return d.reasons.size() == 1; }));
    EXPECT_TRUE(comes("one"));
  }

  EXPECT_TRUE(comes("two"));
  EXPECT_TRUE(sink_.wait_for([](const model::Dynamic& d) { return d.reasons.empty(); }));
}

TEST_F(FileProvider, IgnoresOtherFilesAndLoops) {
  fs::create_directories(root_ / "conf");
  write("conf/a.yml", "one");
  std::ofstream(root_ / "conf/notes.txt") << "not: [yaml";
  fs::create_directories(root_ / "conf/..2026_11_26");
  std::ofstream(root_ / "conf/..2026_11_26/b.yml") << "not: [yaml";
  fs::create_directory_symlink(".", root_ / "conf/loop");
  fs::create_symlink("nowhere.yml", root_ / "conf/dangling.yml");
  watch_directory();

  ASSERT_TRUE(comes("one"));
  EXPECT_TRUE(sink_.last()->reasons.empty());
}

TEST_F(FileProvider, ReadsHiddenFilesToo) {
  fs::create_directories(root_ / "conf/.more");
  write("conf/.hidden.yml", "one");
  write("conf/.more/b.yml", "two");
  watch_directory();

  EXPECT_TRUE(comes("one"));
  fs::remove(root_ / "conf/.hidden.yml");
  EXPECT_TRUE(comes("two"));
}

TEST_F(FileProvider, ReadsAgainOnRefreshWithoutWatching) {
  write("a.yml", "one");
  start({.directory = "",
         .watch = false,
         .filename = (root_ / "a.yml").string(),
         .debug_log_generated_template = false});
  ASSERT_TRUE(comes("one"));
  write("a.yml", "two");
  std::this_thread::sleep_for(50ms);
  EXPECT_TRUE(comes("one"));

  provider_->refresh();

  EXPECT_TRUE(comes("two"));
}

TEST_F(FileProvider, SaysWhatItCannotUse) {
  EXPECT_FALSE(File::make({}, {}, 10ms));
  watch_file("a.txt");
  for (int i = 0; i < 6000 && provider_->status().detail.empty(); ++i) std::this_thread::sleep_for(10ms);

  EXPECT_NE(provider_->status().detail.find("must end with .yml, .yaml or .toml"), std::string::npos);
  EXPECT_EQ(sink_.count(), 0);
}

}  // namespace
}  // namespace fairlead::providers::file
