#include "cmd/fairlead/log_file.h"
#include "cmd/fairlead/log_format.h"
#include "cmd/fairlead/log_setup.h"
#include "engine/base/fd.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace fairlead::cmd {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

std::string formatted(bool json, spdlog::level::level_enum level, std::string_view text) {
  const spdlog::details::log_msg message("", level, spdlog::string_view_t(text.data(), text.size()));
  spdlog::memory_buf_t out;
  log_formatter(json, false)->format(message, out);
  return {out.data(), out.size()};
}

TEST(LogFormat, WritesTimeLevelAndText) {
  EXPECT_THAT(formatted(false, spdlog::level::warn, "something"),
              testing::MatchesRegex("....-..-..T..:..:..[^ ]+ WRN something\n"));
}

TEST(LogFormat, LetsNoMessageForgeALine) {
  EXPECT_THAT(formatted(false, spdlog::level::info, "a\nb\x1b[0m"),
              testing::EndsWith(" INF a\\x0ab\\x1b[0m\n"));
}

TEST(LogFormat, WritesJsonAsTraefikDoes) {
  const auto line = nlohmann::json::parse(formatted(true, spdlog::level::err, "a \"b\"\n\xff"));

  EXPECT_EQ(line["level"], "error");
  EXPECT_EQ(line["message"], "a \"b\"\n\xEF\xBF\xBD");
  EXPECT_TRUE(line.contains("time"));
}

class LogDirectory : public testing::Test {
 protected:
  LogDirectory() : directory_(fs::temp_directory_path() / ("log-" + std::to_string(::getpid()))) {}
  ~LogDirectory() override { fs::remove_all(directory_); }
  std::vector<fs::path> backups() const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(directory_))
      if (entry.path().filename() != "f.log") out.push_back(entry.path());
    return out;
  }
  fs::path directory_;
};

TEST_F(LogDirectory, RotatesAFullFileAndKeepsSoMany) {
  {
    LogFile file({.path = directory_ / "f.log",
                  .max_bytes = 10,
                  .max_backups = 2,
                  .max_age_days = 0,
                  .compress = false});
    for (int i = 0; i < 6; ++i) {
      file.write("12345678\n");
      ::usleep(2000);  // backups are named after the millisecond
    }
  }
  EXPECT_EQ(content(directory_ / "f.log"), "12345678\n");
  EXPECT_EQ(backups().size(), 2U);
}

TEST_F(LogDirectory, CompressesWhatItRotated) {
  {
    LogFile file({.path = directory_ / "f.log",
                  .max_bytes = 10,
                  .max_backups = 0,
                  .max_age_days = 0,
                  .compress = true});
    file.write("12345678\n");
    file.write("12345678\n");
  }
  ASSERT_EQ(backups().size(), 1U);
  EXPECT_EQ(backups()[0].extension(), ".gz");
}

TEST_F(LogDirectory, WritesToANewFileAfterReopening) {
  model::Log options;
  options.file_path = directory_ / "f.log";
  options.level = "WARN";
  const auto before = spdlog::default_logger();
  set_up_log(options);
  spdlog::warn("first");
  spdlog::info("not wanted");
  // The queue has one thread: what is set up again waits for nothing, so the first line is awaited in the
  // file.
  for (int i = 0; i < 30'000 && content(directory_ / "f.log").empty(); ++i) ::usleep(2000);
  fs::rename(directory_ / "f.log", directory_ / "moved");

  reopen_log();
  spdlog::warn("second");
  finish_log();
  spdlog::warn("after the end");
  spdlog::set_default_logger(before);

  EXPECT_THAT(content(directory_ / "moved"), testing::EndsWith("WRN first\n"));
  EXPECT_THAT(content(directory_ / "f.log"), testing::EndsWith("WRN second\n"));
}

TEST_F(LogDirectory, AReaderThatStallsLosesLinesAndHoldsUpNobody) {
  fs::create_directories(directory_);
  const std::string path = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const Fd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  LogFile file({.path = path, .max_bytes = 0, .max_backups = 0, .max_age_days = 0, .compress = false});
  const auto drain = [&] {
    std::string out;
    std::array<char, 65536> block;
    for (ssize_t got; (got = ::read(reader.get(), block.data(), block.size())) > 0;)
      out.append(block.data(), static_cast<std::size_t>(got));
    return out;
  };

  for (int i = 0; i < 100; ++i) file.write(std::string(9999, 'a') + "\n");  // a pipe holds 64 KiB

  const std::string before = drain();
  file.write("back\n");
  EXPECT_THAT(before, testing::StartsWith(std::string(9999, 'a') + "\n"));
  EXPECT_THAT(before + drain(), testing::EndsWith("a\nback\n")) << "a line of its own";
}

TEST_F(LogDirectory, OptionsMayChangeWhileOthersWrite) {
  model::Log options;
  options.file_path = directory_ / "f.log";
  const auto before = spdlog::default_logger();
  set_up_log(options);
  std::atomic<bool> over = false;
  std::atomic<int> lines = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < 4; ++i)
    others.emplace_back([&] {
      while (!over) {
        spdlog::warn("a line");
        ++lines;
      }
    });
  while (lines == 0) std::this_thread::yield();

  for (int i = 0; i < 300; ++i) {
    options.level = i % 2 == 0 ? "INFO" : "WARN";
    set_up_log(options);
  }
  finish_log();  // while they still write
  over = true;
  for (std::thread& other : others) other.join();
  spdlog::set_default_logger(before);

  EXPECT_THAT(content(directory_ / "f.log"), testing::EndsWith("WRN a line\n"));
}

}  // namespace
}  // namespace fairlead::cmd
