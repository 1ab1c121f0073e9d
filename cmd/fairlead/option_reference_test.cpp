#include "cmd/fairlead/option_reference.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace fairlead::cmd {
namespace {

TEST(OptionReference, TheCommittedPageIsWhatTheTablesSay) {
  std::ifstream file("docs/reference.md");  // tests run in the root of the repository
  std::ostringstream committed;
  committed << file.rdbuf();

  EXPECT_TRUE(committed.str() == option_reference())
      << "print it anew: build/release/fairlead reference > docs/reference.md";
}

TEST(OptionReference, NamesOptionsOfEveryRoom) {
  const std::string text = option_reference();

  for (const char* key :
       {"entryPoints.", "providers.docker.", "passHostHeader", "http.middlewares.<name>.basicAuth.users",
        "hold.requests", "tls.options.<name>.minVersion", "| `enable` |", "| `fairlead.host` |",
        "docker.network"})
    EXPECT_NE(text.find(key), std::string::npos) << key;
}

}  // namespace
}  // namespace fairlead::cmd
