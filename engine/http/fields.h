#pragma once

#include "engine/base/arena.h"
#include "engine/base/frame_pool.h"
#include "engine/base/strings.h"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::http {

// Names the engine itself acts upon. A field carries its number, so that the request path compares one
// byte instead of a string.
enum class Name : std::uint8_t {
  Other,
  Accept,
  AcceptEncoding,
  Authorization,
  Connection,
  ContentLength,
  ContentType,
  Cookie,
  Date,
  Expect,
  Host,
  KeepAlive,
  Location,
  ProxyAuthenticate,
  ProxyAuthorization,
  ProxyConnection,
  Referer,
  SetCookie,
  Te,
  Trailer,
  TransferEncoding,
  Upgrade,
  UserAgent,
  XForwardedFor,
  XForwardedHost,
  XForwardedMethod,
  XForwardedPort,
  XForwardedPrefix,
  XForwardedProto,
  XForwardedServer,
  XForwardedTlsClientCert,
  XForwardedTlsClientCertInfo,
  XForwardedUri,
  XRealIp,
};

// One bit for each name, so that a head can be asked about several at once.
constexpr std::uint64_t name_bit(Name name) { return std::uint64_t{1} << static_cast<unsigned>(name); }
template <class... Names>
constexpr std::uint64_t name_bits(Names... names) {
  return (name_bit(names) | ...);
}

// The number of a field name, compared without case; Other when the engine has no interest in it.
Name known_name(std::string_view name);

// The usual spelling: "X-Forwarded-For".
std::string_view spelling(Name name);

struct Field {
  std::string_view name;   // as received
  std::string_view value;  // without white space at the ends
  Name known = Name::Other;
  bool received = false;  // the strict parser read name and value, between them ": " and behind them CRLF

  // The line as it was received, "Name: value" and CRLF; empty when it was not, or one of them was replaced.
  std::string_view received_line() const {
    if (!received || value.data() != name.data() + name.size() + 2) return {};
    const char* const end = value.data() + value.size();
    if (end[0] != '\r' || end[1] != '\n') return {};
    return {name.data(), name.size() + value.size() + 4};
  }
};

// The field lines of one head, in order. Names and values are views into the arena of the exchange, so
// copying a Fields is cheap and valid as long as that exchange lives.
class Fields {
 public:
  explicit Fields(Arena& arena) : arena_(&arena) {}

  // Appends a line whose bytes already live as long as the exchange. `received`: see Field.
  void append(std::string_view name, std::string_view value, Name known, bool received = false) {
    if (lines_.capacity() == 0) lines_.reserve(kUsualLines);
    // Filled in place: copying a Field that was just put together in pieces stalls the processor.
    Field& line = lines_.emplace_back();
    line.name = name;
    line.value = value;
    line.known = known;
    line.received = received;
    appended_ |= name_bit(known);
  }
  // Appends a copy.
  void add(std::string_view name, std::string_view value);
  void add(Name name, std::string_view value) { append(spelling(name), arena_->copy(value), name); }
  // Replaces all lines of that name by one, kept in the place of the first.
  void set(std::string_view name, std::string_view value);
  void set(Name name, std::string_view value) { set_known(name, spelling(name), arena_->copy(value)); }
  // Removes every line of that name; the number removed.
  std::size_t remove(std::string_view name);
  std::size_t remove(Name name);
  template <class Predicate>
  std::size_t remove_if(Predicate drop) {
    return std::erase_if(lines_, drop);
  }

  // The first line's value; nullptr-like empty optional is spelt as a null data() view: use has().
  const Field* find(std::string_view name) const;
  const Field* find(Name name) const {
    if (!may_have(name_bit(name))) return nullptr;
    for (const Field& line : lines_)
      if (line.known == name) return &line;
    return nullptr;
  }
  Field* find(Name name) { return const_cast<Field*>(std::as_const(*this).find(name)); }
  // Empty when absent.
  std::string_view get(std::string_view name) const {
    const Field* line = find(name);
    return line ? line->value : std::string_view{};
  }
  std::string_view get(Name name) const {
    const Field* line = find(name);
    return line ? line->value : std::string_view{};
  }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool has(Name name) const { return find(name) != nullptr; }
  // False when no line of these names (name_bits) is here. True does not mean that one still is.
  bool may_have(std::uint64_t names) const { return (appended_ & names) != 0; }
  // All values of that name joined by ", " (RFC 9110 §5.3).
  std::string_view joined(std::string_view name) const;

  auto begin() const { return lines_.begin(); }
  auto end() const { return lines_.end(); }
  auto begin() { return lines_.begin(); }
  auto end() { return lines_.end(); }
  std::size_t size() const { return lines_.size(); }
  bool empty() const { return lines_.empty(); }
  void clear() {
    lines_.clear();
    appended_ = 0;
  }
  void reserve(std::size_t lines) { lines_.reserve(lines); }
  Arena& arena() const { return *arena_; }

 private:
  void set_known(Name known, std::string_view name, std::string_view value);

  static constexpr std::size_t kUsualLines = 16;  // one allocation for the heads of most exchanges

  Arena* arena_;
  std::uint64_t appended_ = 0;  // name_bits of all lines since clear(), also of those that were removed
  std::vector<Field, FrameAllocator<Field>> lines_;
};

// True when the comma-separated list `value` has the token, compared without case.
bool has_token(std::string_view value, std::string_view token);

// Field name syntax (RFC 9110 §5.1 token), and bytes allowed in a value (§5.5, without CR, LF, NUL).
bool is_token(std::string_view text);
bool is_field_value(std::string_view text);

}  // namespace fairlead::http
