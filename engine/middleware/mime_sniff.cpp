#include "engine/middleware/mime_sniff.h"

#include "engine/base/strings.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace fairlead::middleware {
namespace {

using namespace std::string_view_literals;

bool is_space(char c) { return c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '; }

// Tags that begin an HTML document: compared without case, a space or '>' behind.
constexpr std::array kHtmlTags = {"<!DOCTYPE HTML"sv,
                                  "<HTML"sv,
                                  "<HEAD"sv,
                                  "<SCRIPT"sv,
                                  "<IFRAME"sv,
                                  "<H1"sv,
                                  "<DIV"sv,
                                  "<FONT"sv,
                                  "<TABLE"sv,
                                  "<A"sv,
                                  "<STYLE"sv,
                                  "<TITLE"sv,
                                  "<B"sv,
                                  "<BODY"sv,
                                  "<BR"sv,
                                  "<P"sv,
                                  "<!--"sv};

bool is_html(std::string_view bytes) {
  return std::ranges::any_of(kHtmlTags, [&](std::string_view tag) {
    return bytes.size() > tag.size() && istarts_with(bytes, tag) &&
           (bytes[tag.size()] == ' ' || bytes[tag.size()] == '>');
  });
}

struct Signature {
  std::string_view bytes;
  std::string_view type;
  std::string_view mask = {};  // same size; empty: all bits count
};
constexpr auto kSignatures = std::to_array<Signature>({
    {"%PDF-"sv, "application/pdf"},
    {"%!PS-Adobe-"sv, "application/postscript"},
    {"\xFE\xFF\0\0"sv, "text/plain; charset=utf-16be", "\xFF\xFF\0\0"sv},
    {"\xFF\xFE\0\0"sv, "text/plain; charset=utf-16le", "\xFF\xFF\0\0"sv},
    {"\xEF\xBB\xBF\0"sv, "text/plain; charset=utf-8", "\xFF\xFF\xFF\0"sv},
    {"\0\0\1\0"sv, "image/x-icon"},
    {"\0\0\2\0"sv, "image/x-icon"},
    {"BM"sv, "image/bmp"},
    {"GIF87a"sv, "image/gif"},
    {"GIF89a"sv, "image/gif"},
    {"RIFF\0\0\0\0WEBPVP"sv, "image/webp", "\xFF\xFF\xFF\xFF\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF"sv},
    {"\x89PNG\r\n\x1A\n"sv, "image/png"},
    {"\xFF\xD8\xFF"sv, "image/jpeg"},
    {"FORM\0\0\0\0AIFF"sv, "audio/aiff", "\xFF\xFF\xFF\xFF\0\0\0\0\xFF\xFF\xFF\xFF"sv},
    {"ID3"sv, "audio/mpeg"},
    {"OggS\0"sv, "application/ogg"},
    {"MThd\0\0\0\6"sv, "audio/midi"},
    {"RIFF\0\0\0\0AVI "sv, "video/avi", "\xFF\xFF\xFF\xFF\0\0\0\0\xFF\xFF\xFF\xFF"sv},
    {"RIFF\0\0\0\0WAVE"sv, "audio/wave", "\xFF\xFF\xFF\xFF\0\0\0\0\xFF\xFF\xFF\xFF"sv},
});
constexpr auto kLateSignatures = std::to_array<Signature>({
    {"\x1A\x45\xDF\xA3"sv, "video/webm"},
    {"\0\1\0\0"sv, "font/ttf"},
    {"OTTO"sv, "font/otf"},
    {"ttcf"sv, "font/collection"},
    {"wOFF"sv, "font/woff"},
    {"wOF2"sv, "font/woff2"},
    {"\x1F\x8B\x08"sv, "application/x-gzip"},
    {"PK\3\4"sv, "application/zip"},
    {"Rar!\x1A\7\0"sv, "application/x-rar-compressed"},
    {"Rar!\x1A\7\1\0"sv, "application/x-rar-compressed"},
    {"\0asm"sv, "application/wasm"},
});

bool matches(const Signature& signature, std::string_view bytes) {
  if (bytes.size() < signature.bytes.size()) return false;
  for (std::size_t i = 0; i < signature.bytes.size(); ++i) {
    const char mask = signature.mask.empty() ? '\xFF' : signature.mask[i];
    if ((bytes[i] & mask) != (signature.bytes[i] & mask)) return false;
  }
  return true;
}

template <std::size_t N>
std::string_view look_up(const std::array<Signature, N>& table, std::string_view bytes) {
  for (const Signature& signature : table)
    if (matches(signature, bytes)) return signature.type;
  return {};
}

// The brands of an ISO base media file (§6.2.1 of the standard): "mp4…" among them.
bool is_mp4(std::string_view bytes) {
  if (bytes.size() < 12) return false;
  std::uint32_t box = 0;
  for (int i = 0; i < 4; ++i) box = box << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  if (bytes.size() < box || box % 4 != 0 || bytes.substr(4, 4) != "ftyp") return false;
  for (std::size_t at = 8; at + 4 <= box; at += 4)
    if (at != 12 && bytes.substr(at, 3) == "mp4") return true;  // 12: the minor version
  return false;
}

// §3 "binary data byte".
bool is_binary(char c) {
  const auto b = static_cast<unsigned char>(c);
  return b <= 0x08 || b == 0x0b || (b >= 0x0e && b <= 0x1a) || (b >= 0x1c && b <= 0x1f);
}

}  // namespace

std::string_view sniff_content_type(std::string_view bytes) {
  bytes = bytes.substr(0, kSniffBytes);
  const auto first = std::ranges::find_if_not(bytes, is_space);
  const std::string_view text = bytes.substr(static_cast<std::size_t>(first - bytes.begin()));
  if (is_html(text)) return "text/html; charset=utf-8";
  if (text.starts_with("<?xml")) return "text/xml; charset=utf-8";
  if (const auto type = look_up(kSignatures, bytes); !type.empty()) return type;
  if (is_mp4(bytes)) return "video/mp4";
  if (const auto type = look_up(kLateSignatures, bytes); !type.empty()) return type;
  if (std::ranges::none_of(text, is_binary)) return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

}  // namespace fairlead::middleware
