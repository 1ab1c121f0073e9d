#include "engine/service/connection_login.h"

#include <gtest/gtest.h>

namespace fairlead::service {
namespace {

TEST(ConnectionLogin, KnowsTheSchemesThatLogAConnectionIn) {
  for (const char* value :
       {"NTLM", "ntlm TlRMTVNTUAAB", "Negotiate YII=", "Basic realm=\"x\", Negotiate, NTLM"})
    EXPECT_TRUE(is_connection_login(value)) << value;
}

TEST(ConnectionLogin, LeavesOtherSchemesAlone) {
  for (const char* value : {"", "Basic bnRsbTpudGxt", "Bearer NTLM", "NTLMv9 x", "Digest realm=\"NTLM\""})
    EXPECT_FALSE(is_connection_login(value)) << value;
}

}  // namespace
}  // namespace fairlead::service
