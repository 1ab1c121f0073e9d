#include "engine/runtime/record_sink.h"

#include "engine/exchange/test_exchange.h"
#include "engine/observe/exposition.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace fairlead::runtime {
namespace {

namespace fs = std::filesystem;

class RecordSinkFile : public testing::Test {
 protected:
  RecordSinkFile() : path_(fs::temp_directory_path() / ("record-sink-" + std::to_string(::getpid()))) {
    install_.access_log.emplace().file_path = path_;
    install_.access_log->format = "json";
  }
  ~RecordSinkFile() override { fs::remove(path_); }

  void end(RecordSink& sink, test::TestExchange& x) {
    x.record.method = x.request.method;
    x.record.target = x.request.target;
    x.record.entry_point = "web";
    x.record.status = 200;
    x.record.begun = x.record.ended = x.loop.now();
    sink.ended(x);
    x.loop.run_once(Duration{});
  }
  std::vector<nlohmann::json> lines() const {
    std::vector<nlohmann::json> out;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) out.push_back(nlohmann::json::parse(line));
    return out;
  }

  fs::path path_;
  model::Static install_;
};

TEST_F(RecordSinkFile, WritesALineAndCountsForEachExchange) {
  install_.metrics.prometheus.emplace();
  RecordSink sink(install_);
  test::TestExchange x("GET", "/a");

  end(sink, x);
  sink.finish();

  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0]["RequestPath"], "/a");
  observe::Exposition out;
  observe::RequestMetrics().write(out, *sink.metrics(), {});
  EXPECT_NE(out.take().find("entrypoint=\"web\",method=\"GET\",protocol=\"http\"} 1\n"), std::string::npos);
}

TEST_F(RecordSinkFile, StampsLinesWithTheWallClock) {
  RecordSink sink(install_);
  test::TestExchange x("GET", "/a");
  const auto before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());

  end(sink, x);
  sink.finish();

  const std::string text = lines().at(0)["StartUTC"];
  std::tm utc{};
  ASSERT_NE(::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc), nullptr);
  EXPECT_NEAR(static_cast<double>(::timegm(&utc)), static_cast<double>(before.time_since_epoch().count()), 2);
}

TEST_F(RecordSinkFile, FollowsAChangedConfiguration) {
  model::Static off;
  RecordSink sink(off);
  test::TestExchange x("GET", "/a");
  end(sink, x);

  sink.configure(install_);
  end(sink, x);
  sink.finish();
  sink.configure(off);
  end(sink, x);
  sink.finish();

  EXPECT_EQ(lines().size(), 1U);
  EXPECT_FALSE(sink.metrics());
}

TEST_F(RecordSinkFile, AsksForTheServersHeadOnlyWhenItsHeadersAreLogged) {
  RecordSink sink(install_);
  EXPECT_FALSE(sink.wants_origin_fields());

  install_.access_log->fields.headers.default_mode = "keep";
  sink.configure(install_);

  EXPECT_TRUE(sink.wants_origin_fields());
}

TEST_F(RecordSinkFile, KeepsTheCountersWhenSomethingElseChanges) {
  install_.metrics.prometheus.emplace();
  RecordSink sink(install_);
  const auto metrics = sink.metrics();

  install_.access_log->format = "common";
  sink.configure(install_);
  EXPECT_EQ(sink.metrics(), metrics);
  install_.metrics.prometheus->buckets = {1};
  sink.configure(install_);
  EXPECT_NE(sink.metrics(), metrics);
}

TEST_F(RecordSinkFile, PutsBucketsInOrder) {
  install_.metrics.prometheus.emplace().buckets = {1, 0.5, std::numeric_limits<double>::infinity(), 1, -2};
  const RecordSink sink(install_);

  EXPECT_EQ(sink.metrics()->options().buckets, (std::vector<double>{-2, 0.5, 1}));
}

TEST_F(RecordSinkFile, TakesFromManyThreadsWhileItIsChanged) {
  install_.metrics.prometheus.emplace();
  RecordSink sink(install_);
  constexpr int kEach = 500;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([this, &sink] {
      test::TestExchange x("GET", "/a");
      for (int n = 0; n < kEach; ++n) end(sink, x);
    });
  model::Static other = install_;
  other.access_log->add_internals = true;
  for (int i = 0; i < 10; ++i) sink.configure(i % 2 ? install_ : other);
  for (std::thread& thread : threads) thread.join();
  sink.configure(model::Static());  // every log has written its lines when it is gone
  sink.configure(install_);
  sink.finish();

  EXPECT_EQ(sink.dropped_lines(), 0U);
}

}  // namespace
}  // namespace fairlead::runtime
