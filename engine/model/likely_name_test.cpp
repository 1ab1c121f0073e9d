#include "engine/model/likely_name.h"

#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

TEST(LikelyName, IsTheSameOfAnotherProvider) {
  EXPECT_EQ(likely_name("auth@docker", {"auht@docker", "auth@file"}), "auth@file");
  EXPECT_EQ(likely_name("api@docker", {"api@internal", "app@docker"}), "api@internal");
}

TEST(LikelyName, IsTheNearestOfItsOwnProvider) {
  EXPECT_EQ(likely_name("secure-header@docker", {"secured@docker", "secure-headers@docker"}),
            "secure-headers@docker");
  EXPECT_EQ(likely_name("camel@docker", {"Camel@docker"}), "Camel@docker");
  EXPECT_EQ(likely_name("auht@docker", {"auth@file"}), "");
}

TEST(LikelyName, IsNoneWhereNoneIsNear) {
  EXPECT_EQ(likely_name("a@docker", {"b@docker", "ab@docker"}), "");
  EXPECT_EQ(likely_name("web@docker", {"app@docker", "site@docker"}), "");
  EXPECT_EQ(likely_name("auth@docker", {}), "");
}

}  // namespace
}  // namespace fairlead::model
