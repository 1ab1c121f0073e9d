#include "engine/routing/subject.h"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead::routing {
namespace {

std::string matching(std::string_view path) {
  std::string buffer;
  return std::string(matching_path(path, buffer));
}

std::vector<std::string> values(std::string_view query, std::string_view key) {
  std::string buffer;
  std::vector<std::string> out;
  any_query_value(query, key, buffer, [&](std::string_view value) {
    out.emplace_back(value);
    return false;
  });
  return out;
}

TEST(MatchingPath, IsThePathItselfWithoutEscapes) {
  std::string buffer;
  const std::string_view path = "/a/b;c=1";

  EXPECT_EQ(matching_path(path, buffer).data(), path.data());
}

TEST(MatchingPath, KeepsEscapesOfReservedCharactersInUpperCase) {
  EXPECT_EQ(matching("/a%2fb%3F%25%5b"), "/a%2Fb%3F%25%5B");
}

TEST(MatchingPath, DecodesAllOtherEscapes) {
  EXPECT_EQ(matching("/caf%C3%A9%20au%61%22"), "/caf\u00e9 aua\"");
}

TEST(MatchingPath, LeavesABrokenEscapeAlone) {
  EXPECT_EQ(matching("/a%"), "/a%");
  EXPECT_EQ(matching("/a%2"), "/a%2");
  EXPECT_EQ(matching("/a%zz%41"), "/a%zzA");
}

TEST(QueryValues, AreDecodedKeyAndValue) {
  EXPECT_EQ(values("a=1&b=2&a=3", "a"), (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(values("%61=x+y%21", "a"), std::vector<std::string>{"x y!"});
  EXPECT_EQ(values("k%3Dv", "k=v"), std::vector<std::string>{""});
}

TEST(QueryValues, AreEmptyForAKeyAlone) {
  EXPECT_EQ(values("debug", "debug"), std::vector<std::string>{""});
  EXPECT_EQ(values("debug=", "debug"), std::vector<std::string>{""});
}

TEST(QueryValues, KeepTheSignAfterTheFirst) {
  EXPECT_EQ(values("a=b=c", "a"), std::vector<std::string>{"b=c"});
}

TEST(QueryValues, OfBrokenPartsDoNotExist) {
  EXPECT_TRUE(values("a=%zz&a%=1&a;b=2&&", "a").empty());
  EXPECT_EQ(values("a=%&a=ok", "a"), std::vector<std::string>{"ok"});
}

}  // namespace
}  // namespace fairlead::routing
