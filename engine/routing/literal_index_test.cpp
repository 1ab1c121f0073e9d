#include "engine/routing/literal_index.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::routing {
namespace {

using Ranks = std::vector<std::uint32_t>;

class LiteralIndexTest : public testing::Test {
 protected:
  void add(std::string_view text, std::uint32_t rank) {
    const LiteralIndex::Place place{static_cast<std::uint32_t>(storage.size()),
                                    static_cast<std::uint32_t>(text.size())};
    storage += text;
    index.add(storage.data(), place, rank);
  }
  Ranks find(std::string_view text) const {
    const auto found = index.find(storage.data(), text);
    return {found.begin(), found.end()};
  }

  std::string storage;
  LiteralIndex index;
};

TEST_F(LiteralIndexTest, FindsNothingWhenEmpty) {
  index.seal();

  EXPECT_TRUE(find("a").empty());
  EXPECT_TRUE(index.empty());
}

TEST_F(LiteralIndexTest, ListsTheRanksOfATextInOrder) {
  add("a", 1);
  add("b", 2);
  add("a", 3);
  add("a", 3);
  add("", 4);
  index.seal();

  EXPECT_EQ(find("a"), (Ranks{1, 3}));
  EXPECT_EQ(find("b"), Ranks{2});
  EXPECT_EQ(find(""), Ranks{4});
  EXPECT_TRUE(find("ab").empty());
}

TEST_F(LiteralIndexTest, FindsEachOfThousands) {
  for (std::uint32_t i = 0; i < 5000; ++i) add("host" + std::to_string(i % 4000), i);
  index.seal();

  for (std::uint32_t i = 0; i < 4000; ++i)
    ASSERT_EQ(find("host" + std::to_string(i)), i < 1000 ? (Ranks{i, i + 4000}) : Ranks{i});
  EXPECT_TRUE(find("host4000").empty());
}

TEST_F(LiteralIndexTest, ShowsItsLongLists) {
  for (std::uint32_t i = 0; i < 9; ++i) add(i < 5 ? "long" : "short", i);
  index.seal();

  std::vector<std::size_t> sizes;
  index.each_longer_than(4, [&](std::span<const std::uint32_t> ranks) {
    EXPECT_EQ(ranks.data(), index.find(storage.data(), "long").data());
    sizes.push_back(ranks.size());
  });

  EXPECT_EQ(sizes, std::vector<std::size_t>{5});
}

}  // namespace
}  // namespace fairlead::routing
