#include "engine/observe/access_log.h"

#include "engine/observe/test_facts.h"
#include "tests/support/file_size_limit.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace fairlead::observe {
namespace {

namespace fs = std::filesystem;
using test::SomeFacts;
using namespace std::chrono_literals;

class AccessLogFile : public testing::Test {
 protected:
  AccessLogFile() : directory_(fs::temp_directory_path() / ("access-log-" + std::to_string(::getpid()))) {}
  ~AccessLogFile() override { fs::remove_all(directory_); }

  fs::path path() const { return directory_ / "deep" / "access.log"; }
  static std::string content(const fs::path& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  model::AccessLog options() const {
    model::AccessLog options;
    options.file_path = path();
    return options;
  }

  fs::path directory_;
};

TEST_F(AccessLogFile, CreatesDirectoriesAndWritesWholeLines) {
  const auto log = std::make_shared<AccessLog>(options());
  AccessLog::Lines lines(log);
  const SomeFacts some;

  EXPECT_TRUE(lines.add(some.facts()));
  lines.hand_over();
  ASSERT_TRUE(log->flush(60s));

  EXPECT_TRUE(content(path()).ends_with(" 1 \"shop@docker\" \"http://172.17.0.2:80\" 12ms\n"));
}

TEST_F(AccessLogFile, CountsOnlyRequestsThatItIsAbout) {
  const auto log = std::make_shared<AccessLog>(options());
  AccessLog::Lines lines(log);
  SomeFacts ping;
  ping.record.internal = true;
  SomeFacts quiet;
  quiet.record.log = false;

  EXPECT_FALSE(lines.add(ping.facts()));
  EXPECT_FALSE(lines.add(quiet.facts()));
  EXPECT_TRUE(lines.add(SomeFacts().facts()));
  lines.hand_over();
  ASSERT_TRUE(log->flush(60s));

  EXPECT_TRUE(content(path()).ends_with(" 1 \"shop@docker\" \"http://172.17.0.2:80\" 12ms\n"));
}

TEST_F(AccessLogFile, ReopensAFileThatWasMovedAway) {
  const auto log = std::make_shared<AccessLog>(options());
  AccessLog::Lines lines(log);
  const SomeFacts some;
  lines.add(some.facts());
  lines.hand_over();
  ASSERT_TRUE(log->flush(60s));
  fs::rename(path(), directory_ / "moved");

  log->reopen();
  lines.add(some.facts());
  lines.hand_over();
  ASSERT_TRUE(log->flush(60s));

  EXPECT_EQ(std::ranges::count(content(directory_ / "moved"), '\n'), 1);
  EXPECT_EQ(std::ranges::count(content(path()), '\n'), 1);
}

TEST_F(AccessLogFile, WritesWhatWaitsWhenItEnds) {
  {
    LineWriter writer(path());
    std::string line = "last words\n";
    writer.give(line);
    EXPECT_TRUE(line.empty());
  }
  EXPECT_EQ(content(path()), "last words\n");
}

TEST_F(AccessLogFile, GetsWholeLinesFromManyThreads) {
  const auto log = std::make_shared<AccessLog>(options());
  constexpr int kThreads = 4;
  constexpr int kLines = 2000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&log] {
      const SomeFacts some;
      AccessLog::Lines lines(log);
      for (int n = 0; n < kLines; ++n)
        if (lines.add(some.facts())) lines.hand_over();
    });
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(log->flush(60s));

  std::istringstream text(content(path()));
  int whole = 0;
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("192.0.2.7 - - [") && line.ends_with("12ms")) ++whole;
  EXPECT_EQ(whole, kThreads * kLines);
  EXPECT_EQ(log->dropped_lines(), 0U);
}

TEST_F(AccessLogFile, CountsLinesThatNobodyTakes) {
  fs::create_directories(directory_);
  const fs::path fifo = directory_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Fd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK));
  LineWriter writer(fifo, 256 * 1024);
  const std::string block(64 * 1024 - 1, 'x');

  for (int i = 0; i < 20; ++i) {
    std::string line = block + '\n';
    writer.give(line);
    writer.flush(20ms);
  }

  EXPECT_GE(writer.dropped_lines(), 10U) << "a pipe holds 64 KiB, the writer 256 KiB and the batch it is at";
}

TEST_F(AccessLogFile, AReaderThatStallsDoesNotHoldUpTheEnd) {
  fs::create_directories(directory_);
  const fs::path fifo = directory_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Fd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK));
  auto begun = std::chrono::steady_clock::now();
  {
    LineWriter writer(fifo);
    for (int i = 0; i < 300; ++i) {
      std::string line = std::string(1023, 'x') + '\n';
      writer.give(line);
    }
    begun = std::chrono::steady_clock::now();
  }

  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s) << "a pipe holds 64 KiB: 200 lines cannot leave";
}

TEST_F(AccessLogFile, FinishesALineThatWasCutOff) {
  LineWriter writer(path());
  const auto give = [&writer](std::string lines) {
    writer.give(lines);
    ASSERT_TRUE(writer.flush(60s));
  };
  {
    const test::FileSizeLimit full(10);
    give("first\nsecond\nthird\n");
    give("fourth\n");
    writer.reopen();
    give("fifth\n");
  }

  give("sixth\n");

  EXPECT_EQ(content(path()), "first\nsecond\nsixth\n");
  EXPECT_EQ(writer.dropped_lines(), 3U);
}

TEST_F(AccessLogFile, AHalfLineOfAFileThatWasMovedAwayStaysThere) {
  LineWriter writer(path());
  const auto give = [&writer](std::string lines) {
    writer.give(lines);
    ASSERT_TRUE(writer.flush(60s));
  };
  {
    const test::FileSizeLimit full(3);
    give("first\n");
  }
  fs::rename(path(), directory_ / "moved");
  writer.reopen();

  give("second\n");

  EXPECT_EQ(content(path()), "second\n");
}

TEST_F(AccessLogFile, LosesLinesOfAFileThatCannotBeOpened) {
  LineWriter writer("/proc/nowhere/access.log");
  std::string line = "a\nb\n";

  writer.give(line);
  ASSERT_TRUE(writer.flush(60s));

  EXPECT_EQ(writer.dropped_lines(), 2U);
}

}  // namespace
}  // namespace fairlead::observe
