#include "engine/middleware/redirect_url.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(RedirectUrl, TakesWhatGoTakesAsUrl) {
  EXPECT_EQ(normalized_url("HTTPS://u:p@Host:80/a?b#c"), "https://u:p@Host:80/a?b#c");
  EXPECT_EQ(normalized_url("//host/x"), "//host/x");
  EXPECT_EQ(normalized_url("/x/%2f"), "/x/%2f");
  EXPECT_EQ(normalized_url("https://[::1]:80"), "https://[::1]:80");
  EXPECT_EQ(normalized_url("http://[fe80::1%25en0]/"), "http://[fe80::1%25en0]/");
  EXPECT_EQ(normalized_url("http://m%C3%BCnchen.example/"), "http://m%C3%BCnchen.example/");
}

TEST(RedirectUrl, RefusesWhatGoRefuses) {
  for (const char* url : {"", ":x", "http://192.168.0.%31/", "http://a b/", "http://a:b/", "http://[::1/",
                          "/%zz", "a\nb", "1a:b/c"})
    EXPECT_FALSE(normalized_url(url)) << url;
}

TEST(RedirectUrl, SplitsAuthorities) {
  EXPECT_EQ(split_authority("[::1]:80").host, "[::1]");
  EXPECT_EQ(split_authority("[::1]").port, "");
  EXPECT_EQ(split_authority("a:80").port, ":80");
}

}  // namespace
}  // namespace fairlead::middleware
