#include "engine/admin/redact.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fairlead::admin {
namespace {

using Json = nlohmann::ordered_json;

TEST(Redaction, MasksWhatNoTableDescribes) {
  Json json = Json::parse(R"({"a":{"apiToken":"x","Password":["y"]},"url":"redis://u:p@h/0","tokens":true})");

  redact(json);

  EXPECT_EQ(json.dump(),
            R"({"a":{"apiToken":"xxxx","Password":"xxxx"},"url":"redis://xxxx@h/0","tokens":true})");
}

TEST(Redaction, MasksUrlsThatAreKeys) {
  Json json = Json::parse(R"({"serverStatus":{"http://user:p@ss@h:1":"UP","http://h:2":"DOWN"}})");

  redact(json);

  EXPECT_EQ(json.dump(), R"({"serverStatus":{"http://xxxx@h:1":"UP","http://h:2":"DOWN"}})");
}

TEST(Redaction, MasksParametersThatAreSecrets) {
  Json json = Json::parse(R"({"address":"http://u:p@h/x?a=1&access_token=y&token","path":"/up?API_KEY=z",)"
                          R"("query":"{status}?token=z&s={status}"})");

  redact(json);

  EXPECT_EQ(json.dump(),
            R"({"address":"http://xxxx@h/x?a=1&access_token=xxxx&token","path":"/up?API_KEY=xxxx",)"
            R"("query":"{status}?token=xxxx&s={status}"})");
}

TEST(Redaction, LeavesQuestionMarksOfRulesAndPatternsAlone) {
  const std::string text = R"--({"rule":"Path(`/a?token=b`)","regex":"^/?token=(.*)"})--";
  Json json = Json::parse(text);

  redact(json);

  EXPECT_EQ(json.dump(), text);
}

TEST(Redaction, MasksAllHeadersThatAreSentToACollectorOrACheckedServer) {
  Json json = Json::parse(
      R"({"otlp":{"endpoint":"https://h","headers":{"x-team":"k"}},"healthCheck":{"interval":"5s","headers":{"A":"k"}},)"
      R"("fields":{"headers":{"defaultMode":"drop"}},"headers":{"customFrameOptionsValue":"DENY"}})");

  redact(json);

  EXPECT_EQ(
      json.dump(),
      R"({"otlp":{"endpoint":"https://h","headers":{"x-team":"xxxx"}},"healthCheck":{"interval":"5s","headers":{"A":"xxxx"}},)"
      R"("fields":{"headers":{"defaultMode":"drop"}},"headers":{"customFrameOptionsValue":"DENY"}})");
}

TEST(Redaction, MasksHeadersThatLogIn) {
  Json json = Json::parse(
      R"({"customRequestHeaders":{"authorization":"Bearer x","X-Api-Key":"y","Proxy-Authorization":"z","X-A":"b"}})");

  redact(json);

  EXPECT_EQ(
      json.dump(),
      R"({"customRequestHeaders":{"authorization":"xxxx","X-Api-Key":"xxxx","Proxy-Authorization":"xxxx","X-A":"b"}})");
}

}  // namespace
}  // namespace fairlead::admin
