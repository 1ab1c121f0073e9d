#include "engine/tcp/postgres.h"

#include <gtest/gtest.h>

namespace fairlead::tcp {
namespace {

TEST(Prelude, RecognisesTheRequestHoweverItIsCut) {
  for (std::size_t i = 1; i < kSslRequest.size(); ++i)
    EXPECT_EQ(prelude_of(kSslRequest.substr(0, i)), Prelude::NeedMore) << i;
  EXPECT_EQ(prelude_of(kSslRequest), Prelude::SslRequest);
  EXPECT_EQ(prelude_of(std::string(kSslRequest) + "more"), Prelude::SslRequest);
}

TEST(Prelude, EverythingElseIsNone) {
  EXPECT_EQ(prelude_of("GET / HTTP/1.1"), Prelude::Absent);
  EXPECT_EQ(prelude_of("\x16\x03\x01"), Prelude::Absent);
  // A PostgreSQL client that wants no TLS: protocol 3.0.
  EXPECT_EQ(prelude_of(std::string_view("\x00\x00\x00\x08\x00\x03\x00\x00", 8)), Prelude::Absent);
  EXPECT_EQ(prelude_of(std::string_view("\x00\x00\x00\x54", 4)), Prelude::Absent);
}

}  // namespace
}  // namespace fairlead::tcp
