#include "engine/http/user_info.h"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

TEST(UserInfo, IsMaskedWhereverAUrlStands) {
  EXPECT_EQ(without_user_info("http://a/b@c, https://u@d"), "http://a/b@c, https://xxxx@d");
  EXPECT_EQ(without_user_info("GET http://u:p@h/?q=://v:w@ HTTP/1.1"),
            "GET http://xxxx@h/?q=://xxxx@ HTTP/1.1");
  EXPECT_EQ(without_user_info("http://u:p,q@h"), "http://xxxx@h");
  EXPECT_EQ(without_user_info("http://u:p@"), "http://xxxx@");
  EXPECT_EQ(without_user_info("u@h"), "u@h");
}

}  // namespace
}  // namespace fairlead::http
