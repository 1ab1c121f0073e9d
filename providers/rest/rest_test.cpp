#include "providers/rest/rest.h"

#include "tests/support/recording_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::providers::rest {
namespace {

using fairlead::test::RecordingSink;

constexpr const char* kRouter = R"j({ "http": {"routers": {"r": {"rule": "Host(`a`)", "service": "s"}}} })j";

bool has_router(const model::Dynamic& dynamic) { return dynamic.http.routers.contains("r"); }

TEST(RestProvider, ReadsJsonAndAnswersIt) {
  const auto put = read(kRouter, {});

  ASSERT_TRUE(put) << put.error().what;
  EXPECT_TRUE(has_router(*put->config));
  EXPECT_EQ(put->json, R"j({"http":{"routers":{"r":{"rule":"Host(`a`)","service":"s"}}}})j");
}

TEST(RestProvider, RefusesWhatIsNoConfigurationInJson) {
  for (const char* text : {"", "{", "[]", "null", "3", "http: {}", "{\"http\":{}} x", "{\"error\":1}"})
    EXPECT_FALSE(read(text, {})) << text;
}

TEST(RestProvider, BeginsEmptyAndPublishesWhatIsPutUntilItStops) {
  RecordingSink sink;
  Rest rest;
  rest.take(read(kRouter, {})->config);  // nobody listens yet
  rest.start(sink);
  ASSERT_TRUE(sink.wait_for([](const model::Dynamic& dynamic) { return !has_router(dynamic); }));

  rest.take(read(kRouter, {})->config);
  EXPECT_TRUE(sink.wait_for(has_router));

  const auto count = sink.count();
  rest.stop();
  rest.take(read("{}", {})->config);
  EXPECT_EQ(sink.count(), count);
}

}  // namespace
}  // namespace fairlead::providers::rest
