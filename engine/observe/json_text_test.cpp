#include "engine/observe/json_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fairlead::observe {
namespace {

TEST(JsonText, EscapesEveryByteWhereverItStands) {
  for (std::size_t at = 0; at < 20; ++at)
    for (int byte = 0; byte < 127; ++byte) {
      std::string text(20, 'a');
      text[at] = static_cast<char>(byte);
      std::string out;

      append_json_text(out, text);

      EXPECT_EQ(out, nlohmann::json(text).dump()) << byte << " at " << at;
    }
}

TEST(JsonText, ReplacesWhatIsNoUtf8AndKeepsWhatIs) {
  std::string out;

  append_json_text(out, "\xff");
  append_json_text(out, "na\xc3\xafve text");

  EXPECT_EQ(out, "\"\xEF\xBF\xBD\"\"na\xc3\xafve text\"");
}

TEST(JsonText, LetsNoControlOfATerminalStand) {
  std::string out;

  append_json_text(out,
                   "\x7f\xc2\x80\xc2\x9b"
                   "2J\xc2\x9f\xc2\xa0\xe2\x82\x80");

  EXPECT_EQ(out, "\"\\u007f\\u0080\\u009b2J\\u009f\xc2\xa0\xe2\x82\x80\"");
  EXPECT_EQ(nlohmann::json::parse(out),
            "\x7f\xc2\x80\xc2\x9b"
            "2J\xc2\x9f\xc2\xa0\xe2\x82\x80");
}

}  // namespace
}  // namespace fairlead::observe
