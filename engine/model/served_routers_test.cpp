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

TEST_F(ServedRouters, LeaveChildrenAndTheRouterOfTokensWhole) {
  router("child@file").parent_refs = {"parent@file"};
  router("acme-http@internal").entry_points = {"web", "websecure"};
  dynamic_.http.routers["acme-http@internal"].options.service = "acme-http@internal";

  const auto all = served();

  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all.at("child@file").options.middlewares, Names{"own@docker"});
  EXPECT_EQ(all.at("acme-http@internal").options.entry_points, (Names{"web", "websecure"}));
}

TEST_F(ServedRouters, GuardOurOwnAsAnyOther) {
  HttpRouter& api = router("api@internal");
  api.entry_points = {"websecure"};
  api.service = "api@internal";
  HttpRouter& redirection = router("websecure-to-web@internal");
  redirection.entry_points = {"websecure"};
  redirection.service = "noop@internal";

  const auto all = served();

  EXPECT_EQ(all.at("api@internal").options.middlewares, (Names{"auth@file", "own@docker"}));
  EXPECT_TRUE(all.at("api@internal").options.tls);
  const HttpRouter& redirects = all.at("websecure-to-web@internal").options;
  EXPECT_EQ(redirects.middlewares, (Names{"auth@file", "own@docker"}));
  EXPECT_FALSE(redirects.tls) << "plain requests are what it is for";
}

TEST_F(ServedRouters, FindBareNamesOfTheEntryPointAtTheirOwnProvider) {
  install_.entry_points["websecure"].http.middlewares = {"auth"};
  install_.entry_points["websecure"].http.tls->options = "modern";
  router("shop@docker").entry_points = {"websecure"};
  router("blog@file").entry_points = {"websecure"};

  const auto all = served();

  EXPECT_EQ(all.at("shop@docker").options.middlewares, (Names{"auth@docker", "own@docker"}));
  EXPECT_EQ(all.at("blog@file").options.middlewares, (Names{"auth@file", "own@docker"}));
  EXPECT_EQ(all.at("blog@file").options.tls.value().options, "modern@file");
}

TEST_F(ServedRouters, AreNamedByWhatTheyUse) {
  router("shop@docker");

  const Usage usage = usage_of(dynamic_, install_);

  EXPECT_EQ(usage.http_services.at("app@docker"), (Names{"shop@docker", "websecure-shop@docker"}));
  EXPECT_EQ(usage.http_middlewares.at("auth@file"), Names{"websecure-shop@docker"});
}

}  // namespace
}  // namespace fairlead::model
