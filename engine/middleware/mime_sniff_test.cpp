#include "engine/middleware/mime_sniff.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

using namespace std::string_view_literals;

TEST(MimeSniff, GuessesAsGoDoes) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {""sv, "text/plain; charset=utf-8"},
      {"hello"sv, "text/plain; charset=utf-8"},
      {" \n<!doctype html>"sv, "text/html; charset=utf-8"},
      {"<a href"sv, "text/html; charset=utf-8"},
      {"<abbr>"sv, "text/plain; charset=utf-8"},
      {"<?xml ?>"sv, "text/xml; charset=utf-8"},
      {"{\"a\":1}"sv, "text/plain; charset=utf-8"},
      {"%PDF-1.7"sv, "application/pdf"},
      {"GIF89a..."sv, "image/gif"},
      {"\x89PNG\r\n\x1a\n"sv, "image/png"},
      {"RIFF1234WEBPVP8 "sv, "image/webp"},
      {"\0\0\0\x18"
       "ftypmp42\0\0\0\0mp42isom"sv,
       "video/mp4"},
      {"\x1f\x8b\x08\0"sv, "application/x-gzip"},
      {"\0asm"sv, "application/wasm"},
      {"a\1b"sv, "application/octet-stream"},
  };
  for (const auto& [bytes, type] : rows) EXPECT_EQ(sniff_content_type(bytes), type) << bytes;
}

}  // namespace
}  // namespace fairlead::middleware
