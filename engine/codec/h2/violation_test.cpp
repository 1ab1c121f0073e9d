#include "engine/codec/h2/violation.h"

#include <gtest/gtest.h>

namespace fairlead::codec::h2 {
namespace {

TEST(H2Violation, TellsNoValueOfAField) {
  EXPECT_EQ(without_field_value("Invalid HTTP header field was received: frame type: 1, stream: 1, "
                                "name: [authorization], value: [Bearer secret ]"),
            "Invalid HTTP header field was received: frame type: 1, stream: 1, name: [authorization]");
  EXPECT_EQ(without_field_value("name: [], value: [secret], value: [again]"), "name: []");
  EXPECT_EQ(without_field_value("name: [:path], value: [/a b]"), "name: [:path], value: [/a b]");
  EXPECT_EQ(without_field_value("name: [cut"), "name: [cut");
  EXPECT_EQ(without_field_value("SETTINGS expected"), "SETTINGS expected");
}

}  // namespace
}  // namespace fairlead::codec::h2
