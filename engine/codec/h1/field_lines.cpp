#include "engine/codec/h1/field_lines.h"

#include "engine/codec/h1/refuse.h"
#include "engine/codec/h1/scan.h"
#include "engine/http/field_names.h"

#include <fmt/format.h>

#include <array>

namespace fairlead::codec::h1 {
namespace {

// Classes of the bytes of a name: 0 ends it. Those that an origin may fold to '-' are told apart.
enum : std::uint8_t { kEnd = 0, kPlain = 1, kFoldable = 2 };

constexpr std::array<std::uint8_t, 256> make_name_bytes() {
  std::array<std::uint8_t, 256> out{};
  for (int c = 1; c < 256; ++c) {
    const char as_char = static_cast<char>(c);
    if (is_alpha(as_char) || is_digit(as_char) ||
        std::string_view("!#$%&'*+-^`|~").find(as_char) != std::string_view::npos)
      out[static_cast<std::size_t>(c)] = kPlain;
  }
  out['_'] = out['.'] = kFoldable;
  return out;
}
constexpr std::array<std::uint8_t, 256> kNameBytes = make_name_bytes();

// One section being read. Keeps what its errors need.
class Lines {
 public:
  Lines(std::string_view bytes, Fault fault)
      : begin_(bytes.data()), end_(begin_ + bytes.size()), fault_(fault) {}

  Result<> read(const char* at, std::size_t max_fields, http::Fields& fields, SeenNames& seen) {
    // The last byte stops every loop below, so that none has to look for the end.
    if (begin_ == end_ || end_[-1] != '\n') [[unlikely]]
      return refuse(status(), fault_, "the head does not end in an empty line", offset(end_), {});
    std::size_t left = max_fields;
    while (end_ - at > 2) {
      const char* const name = at;
      at = skip_plain_name_bytes(at, end_);
      unsigned classes = 0;
      if (*at != ':') [[unlikely]]
        while (const unsigned byte_class = kNameBytes[static_cast<unsigned char>(*at)]) {
          classes |= byte_class;
          ++at;
        }
      if (*at != ':' || at == name) [[unlikely]]
        return bad_name(name, at);
      const std::string_view name_text(name, static_cast<std::size_t>(at - name));

      ++at;
      while (*at == ' ' || *at == '\t') ++at;
      const char* const value = at;
      at = skip_value_bytes_within(begin_, at, end_);
      if (at[0] != '\r' || at[1] != '\n') [[unlikely]]
        return bad_value(name_text, at);
      const char* value_end = at;
      while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
      at += 2;

      if (left-- == 0) [[unlikely]]
        return too_many(max_fields);
      if ((classes & kFoldable) != 0 && http::is_disguised_framing(name_text)) [[unlikely]]
        return refuse(status(), fault_, "framing field in disguise", offset(name), name_text);
      const http::Name known = http::known_name(name_text);
      const std::uint64_t bit = http::name_bit(known);
      seen.again |= seen.once & bit;
      seen.once |= bit;
      const bool as_we_write =
          value == name + name_text.size() + 2 && value[-1] == ' ' && value_end == at - 2;
      fields.append(name_text, {value, static_cast<std::size_t>(value_end - value)}, known, as_we_write);
    }
    if (end_ - at != 2 || at[0] != '\r' || at[1] != '\n') [[unlikely]]
      return refuse(status(), fault_, "the head does not end in an empty line", offset(at), rest(at));
    return {};
  }

 private:
  int status() const { return fault_ == Fault::Client ? 400 : 502; }
  std::size_t offset(const char* at) const { return static_cast<std::size_t>(at - begin_); }
  std::string_view rest(const char* at) const { return {at, static_cast<std::size_t>(end_ - at)}; }

  [[gnu::cold]] std::unexpected<Error> bad_name(const char* name, const char* at) const {
    const auto say = [&](std::string_view what) {
      // Never the value: it may be a secret.
      const std::string_view shown(name, static_cast<std::size_t>(at - name) + 1);
      return refuse(status(), fault_, what, offset(at), shown);
    };
    if (at == name) {
      // RFC 9112 §5.2 lets a proxy refuse line folding, in both directions.
      if (*at == ' ' || *at == '\t') return say("folded line, or white space before a name");
      if (*at == ':') return say("empty field name");
    }
    // RFC 9112 §5.1: no white space between name and colon.
    if (*at == ' ' || *at == '\t') return say("white space in or after a field name");
    if (*at == '\r' || *at == '\n') return say("field line without a colon");
    return say("byte that a field name may not hold");
  }

  [[gnu::cold]] std::unexpected<Error> bad_value(std::string_view name, const char* at) const {
    // RFC 9112 §2.2: a bare CR never is a line end. A bare LF may be read as one, which is worse.
    if (*at == '\n') return refuse(status(), fault_, "bare LF after the field", offset(at), name);
    if (*at == '\r') return refuse(status(), fault_, "bare CR in the field", offset(at), name);
    return refuse(status(), fault_,
                  fmt::format("control byte 0x{:02x} in the field", static_cast<unsigned char>(*at)),
                  offset(at), name);
  }

  [[gnu::cold]] std::unexpected<Error> too_many(std::size_t max_fields) const {
    return fail(fault_ == Fault::Client ? 431 : 502, fault_, fmt::format("more than {} fields", max_fields));
  }

  const char* begin_;
  const char* end_;
  Fault fault_;
};

}  // namespace

Result<> parse_field_lines(std::string_view bytes, std::size_t at, std::size_t max_fields, Fault fault,
                           http::Fields& fields, SeenNames& seen) {
  return Lines(bytes, fault).read(bytes.data() + at, max_fields, fields, seen);
}

}  // namespace fairlead::codec::h1
