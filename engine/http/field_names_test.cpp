#include "engine/http/field_names.h"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

TEST(SameHeaderFolded, TakesUnderscoresAndDotsForHyphensAndIgnoresCase) {
  EXPECT_TRUE(same_header_folded("X_Forwarded_For", "X-Forwarded-For"));
  EXPECT_TRUE(same_header_folded("x.auth_USER", "X-Auth-User"));
  EXPECT_FALSE(same_header_folded("X-Forwarded-Fo", "X-Forwarded-For"));
  EXPECT_FALSE(same_header_folded("XForwardedFor", "X-Forwarded-For"));
}

TEST(IsManaged, KnowsEverySpellingOfTheForwardedFields) {
  for (const char* name :
       {"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Port", "X-Forwarded-Prefix",
        "X-Forwarded-Proto", "X-Forwarded-Server", "X-Forwarded-Tls-Client-Cert",
        "X-Forwarded-Tls-Client-Cert-Info", "X-Forwarded-Uri", "X-Real-Ip", "x-real-ip", "X_FORWARDED_PROTO",
        "X.Real_Ip", "x-forwarded_for"}) {
    EXPECT_TRUE(is_managed(name)) << name;
    EXPECT_TRUE(is_managed(Field{name, "", known_name(name)})) << name;
  }
  for (const char* name :
       {"", "X", "Host", "X-Forwarded-Scheme", "X-Scheme", "Forwarded", "X-Forwarded-Forx", "X-Real"})
    EXPECT_FALSE(is_managed(name)) << name;
  EXPECT_FALSE(is_managed(Field{"Cookie", "", Name::Cookie}));
}

TEST(IsDisguisedFraming, CatchesWhatOnlyAFoldingOriginWouldTakeForFraming) {
  EXPECT_TRUE(is_disguised_framing("Content_Length"));
  EXPECT_TRUE(is_disguised_framing("transfer.encoding"));
  EXPECT_FALSE(is_disguised_framing("Content-Length"));
  EXPECT_FALSE(is_disguised_framing("host"));
  EXPECT_FALSE(is_disguised_framing("Content_Type"));
}

TEST(IsForbiddenTrailer, HoldsForEverySpellingRfc9110Section651) {
  for (const char* name : {"Content-Length",
                           "content_length",
                           "Transfer-Encoding",
                           "HOST",
                           "Authorization",
                           "Cookie",
                           "Set-Cookie",
                           "Te",
                           "Trailer",
                           "Connection",
                           "Upgrade",
                           "Content-Type",
                           "Content-Encoding",
                           "Content-Range",
                           "Cache-Control",
                           "X-Forwarded-For",
                           "X_Forwarded_Anything",
                           "X.Real.Ip",
                           "X-Auth-User",
                           "Remote_User",
                           "Proxy-Anything",
                           "If-None-Match",
                           "Range",
                           "Www.Authenticate"})
    EXPECT_TRUE(is_forbidden_trailer(name)) << name;
  for (const char* name : {"Checksum", "Grpc-Status", "grpc-message", "Digest", "ETag", "Server-Timing",
                           "X-Trace", "Content-Length-And-Much-More-Than-Fits-Here"})
    EXPECT_FALSE(is_forbidden_trailer(name)) << name;
}

}  // namespace
}  // namespace fairlead::http
