#include "acme/dns/message.h"

#include <gtest/gtest.h>

using namespace std::literals;

namespace fairlead::acme::dns {
namespace {

// An answer to TXT _acme-challenge.example.com with an alias in front, names compressed.
const std::string kAnswer =
    "\x12\x34\x84\x00\x00\x01\x00\x02\x00\x00\x00\x00"
    "\x0f_acme-challenge\x07"
    "Example\x03"
    "com\x00\x00\x10\x00\x01"
    "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x07\x04home\xc0\x1c"
    "\xc0\x39\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x08\x03"
    "abc\x03"
    "def"s;

TEST(DnsMessage, ReadsAnswersWithCompressedNames) {
  const auto message = parse_message(kAnswer);

  ASSERT_TRUE(message);
  EXPECT_EQ(message->id, 0x1234);
  EXPECT_TRUE(message->is_response && message->authoritative);
  ASSERT_EQ(message->answers.size(), 2u);
  EXPECT_EQ(message->answers[0].name, "_acme-challenge.example.com");
  EXPECT_EQ(message->answers[0].target, "home.example.com");
  EXPECT_EQ(message->answers[1].name, "home.example.com");
  EXPECT_EQ(txt_value(message->answers[1]), "abcdef");
}

TEST(DnsMessage, RefusesEveryCutOfAMessage) {
  for (std::size_t size = 0; size < kAnswer.size(); ++size)
    EXPECT_FALSE(parse_message(std::string_view(kAnswer).substr(0, size))) << size;
}

TEST(DnsMessage, RefusesNamesThatPointAtThemselves) {
  std::string looped = kAnswer;
  looped.replace(12, 2, "\xc0\x0c");

  EXPECT_FALSE(parse_message(looped));
}

TEST(DnsMessage, RefusesStringsThatOverrunTheirRecord) {
  ResourceRecord record;
  record.data =
      "\x05"
      "abc";

  EXPECT_FALSE(txt_value(record));
}

TEST(DnsMessage, ReadsCaaProperties) {
  ResourceRecord record;
  record.data = "\x80\x05Issueca.example; x=y"s;

  const auto property = caa_property(record);

  ASSERT_TRUE(property);
  EXPECT_TRUE(property->critical);
  EXPECT_EQ(property->tag, "issue");
  EXPECT_EQ(property->value, "ca.example; x=y");
  record.data = "\x00\x09issue"s;
  EXPECT_FALSE(caa_property(record));
}

TEST(DnsMessage, WritesNamesAsLabels) {
  std::string wire;

  EXPECT_TRUE(put_name(wire, "WWW.example."));
  EXPECT_EQ(wire,
            "\x03www\x07"
            "example\0"s);
  EXPECT_FALSE(put_name(wire, "a..b"));
  EXPECT_FALSE(put_name(wire, std::string(64, 'a')));
  std::string longest;
  for (int i = 0; i < 128; ++i) longest += "a.";
  EXPECT_FALSE(put_name(wire, longest));
}

TEST(DnsMessage, TellsNamesFromZones) {
  EXPECT_EQ(relative_name("_acme-challenge.www.example.com", "example.com"), "_acme-challenge.www");
  EXPECT_EQ(relative_name("example.com", "example.com"), "");
}

}  // namespace
}  // namespace fairlead::acme::dns
