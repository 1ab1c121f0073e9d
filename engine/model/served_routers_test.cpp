#include "engine/model/served_routers.h"

#include "engine/model/static.h"
#include "engine/model/usage.h"

#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

using Names = std::vector<std::string>;

class ServedRouters : public testing::Test {
 protected:
  ServedRouters() {
    install_.entry_points["web"].address = ":80";
    EntryPoint& secure = install_.entry_points["websecure"];
    secure.address = ":443";
    secure.http.tls.emplace().cert_resolver = "le";
    secure.http.middlewares = {"auth@file"};
  }
  HttpRouter& router(const std::string& name) {
    HttpRouter& made = dynamic_.http.routers[name].options;
    made.service = "app@docker";
    made.middlewares = {"own@docker"};
    return made;
  }
  std::map<std::string, Element<HttpRouter>> served() const {
    return served_routers(dynamic_.http, install_).value();
  }

  Static install_;
  Dynamic dynamic_;
};

TEST_F(ServedRouters, AreAsTheyAreWhereNoEntryPointAddsAnything) {
  install_.entry_points.erase("websecure");
  router("shop@docker");

  EXPECT_FALSE(served_routers(dynamic_.http, install_));
}

TEST_F(ServedRouters, SplitAtTheEntryPointsThatAddSomething) {
  router("shop@docker");

  const auto all = served();

  ASSERT_EQ(all.size(), 2u);
  const HttpRouter& plain = all.at("shop@docker").options;
  EXPECT_EQ(plain.entry_points, Names{"web"});
  EXPECT_EQ(plain.middlewares, Names{"own@docker"});
  EXPECT_FALSE(plain.tls);
  const HttpRouter& secure = all.at("websecure-shop@docker").options;
  EXPECT_EQ(secure.entry_points, Names{"websecure"});
  EXPECT_EQ(secure.middlewares, (Names{"auth@file", "own@docker"}));
  EXPECT_EQ(secure.tls.value().cert_resolver, "le");
  EXPECT_EQ(configured_name("websecure-shop@docker", dynamic_.http, install_), "shop@docker");
}

TEST_F(ServedRouters, KeepTheNameAtASingleEntryPointAndTlsOfTheirOwn) {
  HttpRouter& one = router("one@docker");
  one.entry_points = {"websecure"};
  one.tls.emplace().options = "strict@file";

  const auto all = served();

  ASSERT_EQ(all.size(), 1u);
  const HttpRouter& shown = all.at("one@docker").options;
  EXPECT_EQ(shown.tls.value().options, "strict@file");
  EXPECT_EQ(shown.tls.value().cert_resolver, "");
}

TEST_F(ServedRouters, LeaveChildrenAndOurOwnWhole) {
  router("child@file").parent_refs = {"parent@file"};
  router("api@internal").entry_points = {"web", "websecure"};

  const auto all = served();

  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all.at("child@file").options.middlewares, Names{"own@docker"});
  EXPECT_EQ(all.at("api@internal").options.entry_points, (Names{"web", "websecure"}));
}

TEST_F(ServedRouters, AreNamedByWhatTheyUse) {
  router("shop@docker");

  const Usage usage = usage_of(dynamic_, install_);

  EXPECT_EQ(usage.http_services.at("app@docker"), (Names{"websecure-shop@docker", "shop@docker"}));
  EXPECT_EQ(usage.http_middlewares.at("auth@file"), Names{"websecure-shop@docker"});
}

}  // namespace
}  // namespace fairlead::model
