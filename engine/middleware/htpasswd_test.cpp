#include "engine/middleware/htpasswd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

using testing::HasSubstr;
using testing::Optional;

// Made by `openssl passwd` and libcrypt; the password is "test" everywhere.
const std::string kHashes[] = {
    "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/",
    "$1$H6uskkkW$qH7rONTa34g.EKBz4UNMt0",
    "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=",
    "$2y$05$abcdefghijklmnopqrstuuMceFj4VbmHOj8C7PetMxzZkwre/z.Ri",
    "$5$saltsalt$q6kNPzk9GPb3dpYKO2TUS45z2kiVxsUVz7eWVJcih.0",
    "$6$saltsalt$JcVDtuB6d1BHhCd5RPBh8g8xX/1CbY8EU2PN0MTaj2/Mypw4P./C6dN4j0HALhzBDTocyW1Jm.gYaTPjFGCV40",
};

TEST(Htpasswd, EachKindIsVerified) {
  for (const std::string& hash : kHashes) {
    EXPECT_EQ(complaint_about_hash(hash), std::nullopt) << hash;
    EXPECT_TRUE(verify_password(hash, "test")) << hash;
    EXPECT_FALSE(verify_password(hash, "Test")) << hash;
    EXPECT_FALSE(verify_password(hash, "")) << hash;
    EXPECT_FALSE(verify_password(hash, std::string("test\0x", 6))) << hash;
  }
}

TEST(Htpasswd, Apr1HashesPasswordsOfMoreThanOneBlock) {
  EXPECT_EQ(hash_apr1("a much longer password, beyond 16 bytes", "ab"), "$apr1$ab$PeoFCLBU2wQly2qzvUSrm1");
}

TEST(Htpasswd, ComplainsAboutAnUnknownHash) {
  EXPECT_THAT(complaint_about_hash("secret-in-clear-text!"), Optional(HasSubstr("no hash of a known kind")));
  EXPECT_THAT(complaint_about_hash("has blank"), Optional(HasSubstr("blank")));
  EXPECT_THAT(complaint_about_hash("$2y$31$hGVvEKSUKvSVIVfP9jHHb.Ol1pUXWjP0VHfIpFOJHXDFRf4WLMXre"),
              Optional(HasSubstr("cost")));
  EXPECT_THAT(complaint_about_hash("$6$rounds=999999999$salt$x"), Optional(HasSubstr("rounds")));
  EXPECT_THAT(complaint_about_hash("$6$saltsalt$x"), Optional(HasSubstr("cut short")));
}

TEST(Htpasswd, RecognisesAHashThatComposeDamaged) {
  EXPECT_THAT(complaint_about_hash("/"), Optional(HasSubstr("Compose")));
  EXPECT_THAT(complaint_about_hash(""), Optional(HasSubstr("Compose")));
  EXPECT_THAT(complaint_about_hash("$$apr1$$H6uskkkW$$IgXLP6ewTrSuBkTrqE8wj/"),
              Optional(HasSubstr("doubled")));
}

}  // namespace
}  // namespace fairlead::middleware
