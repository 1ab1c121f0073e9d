#include "engine/model/usage.h"

#include "engine/model/static.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

using testing::ElementsAre;

TEST(Usage, NamesUsersInOrderAndEachOnceThoughTheEntryPointNamesTheSame) {
  Static install;
  for (const char* name : {"sec", "web"}) install.entry_points[name].http.middlewares = {"m@file"};
  Dynamic dynamic;
  for (const char* name : {"b@file", "a@file"}) {
    HttpRouter& router = dynamic.http.routers[name].options;
    router.entry_points = {"sec", "web"};
    router.service = "s@file";
    router.middlewares = {"m@file"};
  }

  const Usage usage = usage_of(dynamic, install);

  EXPECT_THAT(usage.http_middlewares.at("m@file"),
              ElementsAre("sec-a@file", "sec-b@file", "web-a@file", "web-b@file"));
  EXPECT_THAT(usage.http_services.at("s@file"),
              ElementsAre("sec-a@file", "sec-b@file", "web-a@file", "web-b@file"));
}

}  // namespace
}  // namespace fairlead::model
