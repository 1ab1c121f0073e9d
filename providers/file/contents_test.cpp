#include "providers/file/contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::providers::file {
namespace {

using namespace std::chrono_literals;
using Texts = std::map<std::string, std::expected<std::string, std::string>>;

constexpr TimePoint kStart{1h};

std::string router(const std::string& name, const std::string& host) {
  return "http:\n  routers:\n    " + name + ":\n      rule: Host(`" + host + "`)\n      service: s\n";
}

std::string rule(const Contents& contents, const std::string& name) {
  const auto d = contents.compose();
  const auto found = d.http.routers.find(name);
  return found == d.http.routers.end() ? "" : found->second.options.rule;
}

TEST(FileContents, MergeInNameOrderAndTheFirstDefinitionCounts) {
  Contents contents({});

  EXPECT_TRUE(contents.update({{"b.yml", router("r", "b")},
                               {"a.yml", router("r", "a")},
                               {"c.toml", "[http.routers.t]\nrule = \"Host(`t`)\"\n"}},
                              kStart));

  const model::Dynamic d = contents.compose();
  EXPECT_EQ(d.http.routers.at("r").options.rule, "Host(`a`)");
  EXPECT_EQ(d.http.routers.at("r").owner, "a.yml");
  EXPECT_EQ(d.http.routers.at("t").options.rule, "Host(`t`)");
  ASSERT_EQ(d.reasons.size(), 1u);
  EXPECT_EQ(d.reasons[0].text, "http.routers.r is defined in a.yml and in b.yml; the former counts");
}

TEST(FileContents, AFileThatCannotBeParsedKeepsItsLastGoodContent) {
  Contents contents({});
  contents.update({{"a.yml", router("r", "a")}, {"b.yml", router("q", "b")}}, kStart);

  contents.update({{"a.yml", "http: [unclosed"}, {"b.yml", router("q", "new")}}, kStart);

  EXPECT_EQ(rule(contents, "r"), "Host(`a`)");
  EXPECT_EQ(rule(contents, "q"), "Host(`new`)") << "the other file is not held back";
  EXPECT_EQ(contents.complaints().size(), 1u);
  contents.update({{"a.yml", "http: [unclosed"}, {"b.yml", router("q", "new")}}, kStart);
  EXPECT_TRUE(contents.complaints().empty()) << "said once";
  contents.update({{"a.yml", std::unexpected("permission denied")}, {"b.yml", router("q", "new")}}, kStart);
  EXPECT_EQ(rule(contents, "r"), "Host(`a`)");
}

TEST(FileContents, SpeaksOfGoodContentOnlyWhereThereWasSome) {
  Contents contents({});
  contents.update({{"a.yml", "http: [unclosed"}}, kStart);
  ASSERT_EQ(contents.complaints().size(), 1u);
  EXPECT_TRUE(contents.complaints()[0].ends_with("nothing of it is in effect")) << contents.complaints()[0];

  contents.update({{"a.yml", router("r", "a")}}, kStart);
  contents.update({{"a.yml", "http: [unclosed again"}}, kStart);

  ASSERT_EQ(contents.complaints().size(), 1u);
  EXPECT_TRUE(contents.complaints()[0].ends_with("its last good content stays")) << contents.complaints()[0];
}

TEST(FileContents, AFileThatIsReadableAgainHasNoTroubleAnyMore) {
  Contents contents({});
  contents.update({{"a.yml", router("r", "a")}}, kStart);
  contents.update({{"a.yml", std::unexpected("too many open files")}}, kStart);
  ASSERT_EQ(contents.compose().reasons.size(), 1u);

  contents.update({{"a.yml", router("r", "a")}}, kStart);

  EXPECT_TRUE(contents.compose().reasons.empty());
  contents.update({{"a.yml", "http: [unclosed"}}, kStart);
  contents.update({{"a.yml", std::unexpected("too many open files")}}, kStart);
  contents.update({{"a.yml", "http: [unclosed"}}, kStart);
  EXPECT_EQ(contents.compose().reasons.size(), 1u) << "what is wrong with the text is";
}

TEST(FileContents, AnEmptiedFileCountsAsEmptyAfterTwoSeconds) {
  Contents contents({});
  contents.update({{"a.yml", router("r", "a")}}, kStart);

  EXPECT_FALSE(contents.update({{"a.yml", ""}}, kStart + 1s));
  EXPECT_EQ(rule(contents, "r"), "Host(`a`)");
  EXPECT_EQ(contents.next_look(), kStart + 3s);
  EXPECT_FALSE(contents.update({{"a.yml", "\n"}}, kStart + 2900ms));
  EXPECT_TRUE(contents.update({{"a.yml", ""}}, kStart + 3s));
  EXPECT_EQ(rule(contents, "r"), "");
  EXPECT_EQ(contents.next_look(), std::nullopt);
}

TEST(FileContents, AFileThatIsFilledAgainInTimeNeverCountedAsEmpty) {
  Contents contents({});
  contents.update({{"a.yml", router("r", "a")}}, kStart);
  contents.update({{"a.yml", ""}}, kStart + 1s);

  contents.update({{"a.yml", router("r", "b")}}, kStart + 2s);

  EXPECT_EQ(rule(contents, "r"), "Host(`b`)");
  EXPECT_EQ(contents.next_look(), std::nullopt);
}

TEST(FileContents, ARemovedFileIsForgotten) {
  Contents contents({});
  contents.update({{"a.yml", router("r", "a")}, {"b.yml", router("q", "b")}}, kStart);

  EXPECT_TRUE(contents.update({{"b.yml", router("q", "b")}}, kStart));

  EXPECT_EQ(rule(contents, "r"), "");
}

TEST(FileContents, FilesOfADirectoryThatCannotBeListedAreNotForgotten) {
  Contents contents({});
  contents.update({{"conf/in/a.yml", router("r", "a")}, {"conf/in.yml", router("q", "b")}}, kStart);

  contents.update({}, kStart, {{"conf/in", "cannot be listed"}, {"conf/new", "cannot be listed"}});

  EXPECT_EQ(rule(contents, "r"), "Host(`a`)");
  EXPECT_EQ(rule(contents, "q"), "");
  EXPECT_THAT(contents.complaints(),
              testing::ElementsAre("conf/in: cannot be listed; the last good content of its files stays",
                                   "conf/new: cannot be listed; nothing of it is in effect"));
  EXPECT_EQ(contents.compose().reasons.size(), 2);
  contents.update({}, kStart, {{"conf/in", "cannot be listed"}});
  EXPECT_TRUE(contents.complaints().empty()) << "told once";
  contents.update({}, kStart);
  EXPECT_EQ(rule(contents, "r"), "");
}

TEST(FileContents, WhatIsNoConfigurationAtAllChangesNothing) {
  for (const char* text :
       {"hello", "- a", "<html></html>", "htp:\n  routers: {}\n", "error: not logged in"}) {
    Contents contents({});
    contents.update({{"a.yml", router("r", "a")}}, kStart);
    contents.update({{"a.yml", text}}, kStart);

    EXPECT_EQ(rule(contents, "r"), "Host(`a`)") << text;
    ASSERT_EQ(contents.complaints().size(), 1) << text;
    EXPECT_TRUE(contents.complaints()[0].starts_with("a.yml: holds no configuration: "))
        << contents.complaints()[0];
    for (const char* nothing : {"{}", "# all gone", "http: {}", "x-common: {}", "entryPoints: {}"}) {
      contents.update({{"a.yml", router("r", "a")}}, kStart);
      contents.update({{"a.yml", nothing}}, kStart);
      EXPECT_EQ(rule(contents, "r"), "") << nothing;
    }
  }
}

TEST(FileContents, SupportsTheTemplatesOfDefaultRulesAndRefusesOthers) {
  Contents contents({});

  contents.update({{"a.yml", router("r", "{{ upper `a` }}")}, {"b.yml", "x: {{ now `HOME` }}"}}, kStart);

  EXPECT_EQ(rule(contents, "r"), "Host(`A`)");
  ASSERT_EQ(contents.complaints().size(), 1u);
  EXPECT_NE(contents.complaints()[0].find("\"now\" is not supported in templates"), std::string::npos);
  EXPECT_TRUE(contents.complaints()[0].starts_with("b.yml: template: line ")) << contents.complaints()[0];
}

TEST(FileContents, AnEditWithoutMeaningChangesNothing) {
  Contents contents({});
  contents.update({{"a.yml", router("r", "a")}}, kStart);

  EXPECT_FALSE(contents.update({{"a.yml", "# comment\n" + router("r", "a")}}, kStart));
}

}  // namespace
}  // namespace fairlead::providers::file
