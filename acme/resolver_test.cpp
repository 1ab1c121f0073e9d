#include "acme/resolver.h"

#include "acme/solver_http01.h"

#include <gtest/gtest.h>

namespace fairlead::acme {
namespace {

TEST(Directory, IsThatOfLetsEncryptWhereNoneIsNamedOrAnOldOneIs) {
  const std::string now = "https://acme-v02.api.letsencrypt.org/directory";

  EXPECT_EQ(directory_url(""), now) << "a variable of Compose that nobody set";
  EXPECT_EQ(directory_url("https://acme-v01.api.letsencrypt.org/directory"), now);
  EXPECT_EQ(directory_url("https://ca.example/dir"), "https://ca.example/dir");
}

TEST(Http01Obstacle, IsAnEntryPointThatCannotAnswer) {
  model::Static install;
  install.entry_points["web"].address = ":80";
  install.entry_points["dns"].address = ":53/udp";
  model::Acme options;
  EXPECT_EQ(http01_obstacle(options, install), "") << "without httpChallenge";

  const auto of = [&](const std::string& entry_point) {
    options.http_challenge.emplace().entry_point = entry_point;
    return http01_obstacle(options, install);
  };
  EXPECT_EQ(of("web"), "");
  EXPECT_EQ(of(""), "httpChallenge.entryPoint is not set");
  EXPECT_EQ(of("wbe"), "httpChallenge.entryPoint: there is no entry point `wbe`");
  EXPECT_EQ(of("dns"), "httpChallenge.entryPoint: `dns` is for UDP, and HTTP-01 needs TCP");
}

}  // namespace
}  // namespace fairlead::acme
