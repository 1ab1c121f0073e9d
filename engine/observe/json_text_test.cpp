#include "engine/observe/json_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fairlead::observe {
namespace {

TEST(JsonText, EscapesEveryByteWhereverItStands) {
  for (std::size_t at = 0; at < 20; ++at)
    for (int byte = 0; byte < 128; ++byte) {
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

}  // namespace
}  // namespace fairlead::observe
