#include "providers/docker/events.h"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead::providers::docker {
namespace {

TEST(Events, ReadAContainerEventOfEveryEngine) {
  // 20.10 with status, id and from; API 1.52 without.
  const auto old = parse_event(
      R"({"status":"kill","id":"x","from":"i","Type":"container","Action":"kill","Actor":{"ID":"x","Attributes":{"signal":"15","name":"web"}},"time":1})");
  const auto recent = parse_event(
      R"({"Type":"container","Action":"die","Actor":{"ID":"x","Attributes":{"exitCode":"137"}},"timeNano":1778311774000000001})");

  ASSERT_TRUE(old && *old && recent && *recent);
  EXPECT_EQ((*old)->told, WallTime{});
  EXPECT_EQ((*recent)->told, WallTime(std::chrono::nanoseconds(1'778'311'774'000'000'001)));
  EXPECT_EQ((*old)->container, "x");
  EXPECT_EQ((*old)->action, Event::Action::Stopping);
  EXPECT_EQ((*old)->signal, "15");
  EXPECT_EQ((*recent)->action, Event::Action::Ended);
  EXPECT_EQ((*recent)->exit_code, 137);
}

TEST(Events, NameTheContainerOfANetworkEvent) {
  const auto event = parse_event(
      R"({"Type":"network","Action":"connect","Actor":{"ID":"net","Attributes":{"container":"x","name":"front"}}})");

  ASSERT_TRUE(event && *event);
  EXPECT_EQ((*event)->container, "x");
  EXPECT_EQ((*event)->action, Event::Action::Changed);
}

TEST(Events, OfPodmanKillWithoutASignalAndRemoveInsteadOfDestroy) {
  const auto kill = parse_event(R"({"Type":"container","Action":"kill","Actor":{"ID":"x","Attributes":{}}})");
  const auto remove = parse_event(R"({"Type":"container","Action":"remove","Actor":{"ID":"x"}})");

  ASSERT_TRUE(kill && *kill && remove && *remove);
  EXPECT_EQ((*kill)->action, Event::Action::Changed) << "it may have been SIGHUP";
  EXPECT_EQ((*remove)->action, Event::Action::Removed);
}

TEST(Events, PassOverOtherTypesAndRefuseNonsense) {
  EXPECT_FALSE(*parse_event(R"({"Type":"image","Action":"pull","Actor":{"ID":"x"}})"));
  EXPECT_FALSE(*parse_event(R"({"Type":"container","Action":"start","Actor":[1]})"));
  EXPECT_FALSE(parse_event("[]"));
  EXPECT_FALSE(parse_event("nonsense"));
  EXPECT_FALSE(parse_event(std::string(100000, '[')));
}

TEST(Events, AreReadWhenMembersAreMissing) {
  const auto oldest = parse_event(R"({"status":"die","id":"x","from":"i"})");
  const auto untyped = parse_event(R"({"Action":"start","Actor":{"ID":"x"}})");
  const auto bare = parse_event(R"({"Type":"container","Action":"kill"})");

  ASSERT_TRUE(oldest && *oldest && untyped && *untyped && bare);
  EXPECT_EQ((*oldest)->action, Event::Action::Ended);
  EXPECT_EQ((*oldest)->container, "x");
  EXPECT_EQ((*untyped)->action, Event::Action::Started);
  EXPECT_FALSE(*bare) << "of no container";
}

TEST(Events, ThatNobodyAskedForAreNone) {
  for (const char* word : {"exec_start: sh", "exec_die", "exec_create: sh", "attach", "top", ""})
    EXPECT_FALSE(
        *parse_event(R"({"Type":"container","Action":")" + std::string(word) + R"(","Actor":{"ID":"x"}})"))
        << word;
  EXPECT_TRUE(*parse_event(R"({"Type":"container","Action":"health_status: healthy","Actor":{"ID":"x"}})"));
  EXPECT_EQ((*parse_event(R"({"Type":"container","Action":"create","Actor":{"ID":"x"}})"))->action,
            Event::Action::Changed);
  EXPECT_FALSE(*parse_event(R"({"Type":"network","Action":"create","Actor":{"ID":"n"}})"));
}

TEST(LineSplitter, TakesAnObjectWhoseLineDoesNotEnd) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto keep = [&](auto line) { lines.emplace_back(line); };

  splitter.feed(R"({"a":{"b":1})", keep);
  EXPECT_TRUE(lines.empty());
  splitter.feed("}", keep);
  splitter.feed(R"({"c":"}"})", keep);
  splitter.feed("\n", keep);

  EXPECT_EQ(lines, (std::vector<std::string>{R"({"a":{"b":1}})", R"({"c":"}"})"}));
}

TEST(LineSplitter, JoinsLinesHoweverTheyAreChunked) {
  const std::string text = "one\r\n\ntwo\nthree and more\n";
  for (std::size_t chunk = 1; chunk < text.size(); ++chunk) {
    LineSplitter splitter;
    std::vector<std::string> lines;

    for (std::size_t at = 0; at < text.size(); at += chunk)
      EXPECT_TRUE(splitter.feed(std::string_view(text).substr(at, chunk),
                                [&](auto line) { lines.emplace_back(line); }));

    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three and more"})) << chunk;
  }
}

TEST(LineSplitter, TakesLinesOfHundredsOfKilobytesAndRefusesEndlessOnes) {
  LineSplitter splitter;
  std::size_t longest = 0;
  const std::string part(64 * 1024, 'x');

  for (int i = 0; i < 10; ++i) EXPECT_TRUE(splitter.feed(part, [](auto) {}));
  EXPECT_TRUE(splitter.feed("\n", [&](auto line) { longest = line.size(); }));
  bool refused = false;
  for (int i = 0; i < 300 && !refused; ++i) refused = !splitter.feed(part, [](auto) {});

  EXPECT_EQ(longest, 10 * part.size());
  EXPECT_TRUE(refused);
}

TEST(Events, QueryIsPercentEncodedJson) {
  const std::string query = events_query();

  EXPECT_TRUE(query.starts_with("filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D"));
  EXPECT_EQ(query.find_first_of("\"{}[], "), std::string::npos);
}

}  // namespace
}  // namespace fairlead::providers::docker
