#include "engine/http/head.h"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

TEST(RequestHead, IsEmptyAfterClear) {
  Arena arena;
  RequestHead head(arena);
  head.method = "GET";
  head.host = "a";
  head.path = "/";
  head.query = "b";
  head.has_query = head.chunked = head.expects_continue = true;
  head.content_length = 1;
  head.upgrade = "x";
  head.version = Version::Http10;
  head.fields.add("A", "b");

  head.clear();

  EXPECT_EQ(head.method, "");
  EXPECT_EQ(head.host + head.path + head.query, "");
  EXPECT_FALSE(head.has_query || head.expects_continue || head.has_body());
  EXPECT_EQ(head.upgrade, "");
  EXPECT_EQ(head.version, Version::Http11);
  EXPECT_TRUE(head.fields.empty());
}

TEST(RequestHead, HasABodyWhenALengthOrChunkingSaysSo) {
  Arena arena;
  RequestHead head(arena);
  EXPECT_FALSE(head.has_body());
  head.content_length = 0;
  EXPECT_FALSE(head.has_body());
  head.content_length = 1;
  EXPECT_TRUE(head.has_body());
  head.content_length.reset();
  head.chunked = true;
  EXPECT_TRUE(head.has_body());
}

TEST(ReasonPhrase, IsThatOfTheRegistry) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(599), "");
}

TEST(NeverHasContent, HoldsForInterimNoContentAndNotModifiedRfc9110Section641) {
  for (const int status : {100, 101, 103, 199, 204, 304}) EXPECT_TRUE(never_has_content(status)) << status;
  for (const int status : {200, 201, 205, 301, 404}) EXPECT_FALSE(never_has_content(status)) << status;
}

}  // namespace
}  // namespace fairlead::http
