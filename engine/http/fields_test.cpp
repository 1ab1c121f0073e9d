#include "engine/http/fields.h"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

TEST(KnownName, IsFoundInEveryCaseAndNothingElseIs) {
  for (unsigned i = 1; i <= static_cast<unsigned>(Name::XRealIp); ++i) {
    const auto name = static_cast<Name>(i);
    const std::string text(spelling(name));
    EXPECT_EQ(known_name(text), name);
    EXPECT_EQ(known_name(lower(text)), name);
    EXPECT_EQ(known_name(upper(text)), name);
    EXPECT_EQ(known_name(text + "x"), Name::Other);
    EXPECT_EQ(known_name(text.substr(1)), Name::Other);
    for (std::size_t at = 0; at < text.size(); ++at) {
      // Each of these differs from the right byte in one bit.
      for (int bit = 0; bit < 8; ++bit) {
        std::string other = text;
        other[at] = static_cast<char>(other[at] ^ (1 << bit));
        if (!iequals(other, text)) {
          EXPECT_NE(known_name(other), name) << other;
        }
      }
    }
  }
  EXPECT_EQ(known_name(""), Name::Other);
}

TEST(Fields, AddSetAndRemoveWithoutCase) {
  Arena arena;
  Fields fields(arena);
  fields.add("X-A", "1");
  fields.add("Accept", "2");
  fields.add("x-a", "3");

  EXPECT_EQ(fields.joined("X-a"), "1, 3");
  fields.set("X-A", "4");
  EXPECT_EQ(fields.joined("x-a"), "4");
  EXPECT_EQ(fields.begin()->value, "4") << "in the place of the first";
  fields.set(Name::Accept, "5");
  EXPECT_EQ(fields.get("accept"), "5");
  EXPECT_EQ(fields.remove("ACCEPT"), 1U);
  EXPECT_FALSE(fields.has(Name::Accept));
  EXPECT_EQ(fields.size(), 1U);
}

TEST(Fields, CopiesWhatItIsGivenToKeep) {
  Arena arena;
  Fields fields(arena);
  {
    std::string name = "X-Short-Lived";
    std::string value = "value";
    fields.add(name, value);
    name.assign(name.size(), '!');
    value.assign(value.size(), '!');
  }

  EXPECT_EQ(fields.get("x-short-lived"), "value");
}

TEST(Fields, KnowWhichNamesTheyNeverHeld) {
  Arena arena;
  Fields fields(arena);
  fields.add("Cookie", "a=1");
  fields.add("x-own", "2");

  EXPECT_TRUE(fields.may_have(name_bits(Name::Te, Name::Cookie)));
  EXPECT_FALSE(fields.may_have(name_bits(Name::Te, Name::Upgrade)));
  EXPECT_EQ(fields.find(Name::Te), nullptr);
  EXPECT_EQ(fields.remove(Name::Te), 0U);

  fields.set(Name::Te, "trailers");
  EXPECT_EQ(fields.get(Name::Te), "trailers");
  EXPECT_EQ(fields.remove(Name::Te), 1U);
  EXPECT_FALSE(fields.has(Name::Te));

  fields.clear();
  EXPECT_FALSE(fields.may_have(name_bit(Name::Cookie)));
}

TEST(HasToken, ReadsListsRfc9110Section561) {
  EXPECT_TRUE(has_token("close", "close"));
  EXPECT_TRUE(has_token("keep-alive ,\tCLOSE", "close"));
  EXPECT_TRUE(has_token(",,close,", "close"));
  EXPECT_FALSE(has_token("closed", "close"));
  EXPECT_FALSE(has_token("a close", "close"));
  EXPECT_FALSE(has_token("", "close"));
}

TEST(FieldSyntax, IsThatOfRfc9110) {
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09azAZ"));
  for (const char* text : {"", " ", "a b", "a:", "a,", "a\t", "(", "\xc3"})
    EXPECT_FALSE(is_token(text)) << text;
  EXPECT_TRUE(is_field_value("a \t\xff"));
  EXPECT_TRUE(is_field_value(""));
  for (const char* text : {"\r", "\n", "\x01", "\x7f"}) EXPECT_FALSE(is_field_value(text));
  EXPECT_FALSE(is_field_value(std::string_view("\0", 1)));
  // Every byte at every place of a value that is looked at in words and a rest.
  for (int byte = 0; byte < 256; ++byte)
    for (std::size_t place = 0; place < 19; ++place) {
      std::string text(19, 'a');
      text[place] = static_cast<char>(byte);
      text[(place + 1) % text.size()] = '\xff';
      EXPECT_EQ(is_field_value(text), (byte >= 0x20 && byte != 0x7f) || byte == '\t')
          << byte << " at " << place;
    }
}

}  // namespace
}  // namespace fairlead::http
