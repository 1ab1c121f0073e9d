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

TEST(UserInfo, IsMaskedInAUrlThatLacksItsScheme) {
  EXPECT_EQ(url_without_user_info("u:p@h:80/x@y"), "xxxx@h:80/x@y");
  EXPECT_EQ(url_without_user_info("ftp://u:p@h/"), "ftp://xxxx@h/");
  EXPECT_EQ(url_without_user_info("h/x@y"), "h/x@y");
}

}  // namespace
}  // namespace fairlead::http
