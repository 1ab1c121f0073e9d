#include "engine/middleware/registry.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"
#include "engine/model/read.h"
#include "engine/schema/labels.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(Registry, KnowsAllTypesOfTraefikAndThreeMore) {
  constexpr const char* kNames[] = {
      "addPrefix",         "basicAuth",        "buffering",        "chain",
      "circuitBreaker",    "compress",         "contentType",      "digestAuth",
      "encodedCharacters", "errors",           "forwardAuth",      "grpcWeb",
      "headers",           "inFlightReq",      "ipAllowList",      "ipWhiteList",
      "passTLSClientCert", "plugin",           "rateLimit",        "redirectRegex",
      "redirectScheme",    "replacePath",      "replacePathRegex", "retry",
      "stripPrefix",       "stripPrefixRegex", "apiKey",           "maintenance",
      "requestId"};
  for (const char* name : kNames) {
    const Type* type = find(name);
    ASSERT_TRUE(type) << name;
    EXPECT_STREQ(type->name, name);
  }
  EXPECT_EQ(types().size(), std::size(kNames));
}

TEST(Registry, FindsTypesWhateverTheCaseOfALabel) {
  EXPECT_STREQ(find("stripprefix")->name, "stripPrefix");
  EXPECT_FALSE(find("stripPrefixx"));
}

TEST(Registry, NamesTheOptionThatIsUnknownAndTheNearestOne) {
  const std::string error = test::Made("addPrefix", {{"prefx", "/a"}}).error();

  EXPECT_TRUE(error.starts_with("prefx: there is no option `prefx` here")) << error;
  EXPECT_NE(error.find("did you mean `prefix`?"), std::string::npos) << error;
}

TEST(Registry, TakesAKeyWithoutOptionsOnlyWhereAllMayBeLeftOut) {
  EXPECT_TRUE(test::Made("contentType", {{"", "true"}}));
  EXPECT_FALSE(test::Made("headers", {{"", "true"}}));
  EXPECT_EQ(test::Made("contentType", {{"", "false"}}).error(), ": is switched off, so it cannot be used");
}

TEST(Registry, TheLabelsOfTheseTypesMayStandAlone) {
  for (const Type& type : types()) {
    const schema::Labels labels{{std::string("traefik.http.middlewares.m.") + type.name, "true"}};
    schema::Problems problems;
    const schema::Origin origin{.source = "container shop-1"};

    const model::Dynamic read =
        model::read_dynamic(schema::read_labels(labels, origin.source, problems), origin, {type_names(), {}});

    EXPECT_EQ(read.http.middlewares.at("m").broken(), !type.may_be_empty) << type.name;
  }
}

TEST(Registry, BreaksRoutersThatNeedAPlugin) {
  EXPECT_EQ(test::Made("plugin", {{"geo.country", "FR"}}).error(), "geo: plugins cannot be used here");
}

TEST(Registry, ReadsOptionsWithoutMakingAnything) {
  schema::Problems problems;

  const auto options = find("addPrefix")->read(test::options({{"prefix", "/a"}}), problems);

  EXPECT_TRUE(options);
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace fairlead::middleware
