#include "engine/codec/h1/writer.h"

#include "engine/codec/h1/scan.h"
#include "engine/http/field_names.h"

#include <charconv>
#include <cstring>

namespace fairlead::codec::h1 {
namespace {

using http::Field;
using http::Name;

// Longest of "Content-Length: 18446744073709551615", "Transfer-Encoding: chunked", with the lines about the
// connection and the empty line.
constexpr std::size_t kFramingRoom = sizeof(
    "Content-Length: 18446744073709551615\r\nConnection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: "
    "\r\n\r\n");
constexpr std::size_t kLineRoom = sizeof(": \r\n") - 1;

std::size_t fields_size(const http::Fields& fields) {
  std::size_t size = 0;
  for (const Field& line : fields) size += line.name.size() + line.value.size() + kLineRoom;
  return size;
}

// Appends to a buffer that is known to be large enough, and remembers whether anything was unfit to be sent.
class Out {
 public:
  explicit Out(char* to) : begin_(to), at_(to) {}

  void text(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void number(std::uint64_t value) { at_ = std::to_chars(at_, at_ + 20, value).ptr; }
  // Checked where it was written to: there are always enough bytes before it to check it sixteen at a time.
  void value(std::string_view value) {
    text(value);
    fit_ = fit_ && skip_value_bytes_within(begin_, at_ - value.size(), at_) == at_;
  }
  void target(std::string_view part) {
    text(part);
    fit_ = fit_ && skip_target_bytes(at_ - part.size(), at_) == at_;
  }
  void token(std::string_view token) {
    fit_ = fit_ && http::is_token(token);
    text(token);
  }
  void demand(bool condition) { fit_ = fit_ && condition; }
  void field(const Field& line) {
    const char* const name = at_;
    text(line.name);
    text(": ");
    value(line.value);
    text("\r\n");
    if (skip_plain_name_bytes(name, at_) != name + line.name.size() || line.name.empty())
      fit_ = fit_ && http::is_token(line.name);
  }
  // All lines of `fields` that `is_ours` leaves to it. Those that came side by side, and nobody touched since
  // the strict parser read them, leave in one copy.
  template <class IsOurs>
  void fields(const http::Fields& fields, IsOurs is_ours) {
    std::string_view run;
    for (const Field& line : fields) {
      if (is_ours(line.known)) continue;
      const std::string_view received = line.received_line();
      if (!received.empty() && received.data() == run.data() + run.size()) {
        run = {run.data(), run.size() + received.size()};
        continue;
      }
      text(run);
      run = received;
      if (received.empty()) field(line);
    }
    text(run);
  }
  void framing(const Framing& framing) {
    if (framing.body == BodyFraming::Length) {
      text("Content-Length: ");
      number(framing.length);
      text("\r\n");
    } else if (framing.body == BodyFraming::Chunked) {
      text("Transfer-Encoding: chunked\r\n");
    }
    if (!framing.upgrade.empty()) {
      text("Connection: Upgrade\r\nUpgrade: ");
      value(framing.upgrade);
      text("\r\n");
    } else if (framing.close) {
      text("Connection: close\r\n");
    } else if (framing.keep_alive) {
      text("Connection: keep-alive\r\n");
    }
    text("\r\n");
  }
  char* end() const { return fit_ ? at_ : nullptr; }

 private:
  const char* begin_;
  char* at_;
  bool fit_ = true;
};

}  // namespace

std::size_t request_head_size(const http::RequestHead& head, std::string_view host_value,
                              const Framing& framing) {
  return head.method.size() + head.path.size() + head.query.size() + sizeof("  ? HTTP/1.1\r\nHost: \r\n") +
         host_value.size() + fields_size(head.fields) + framing.upgrade.size() + kFramingRoom;
}

char* write_request_head(char* to, const http::RequestHead& head, std::string_view host_value,
                         const Framing& framing) {
  Out out(to);
  out.token(head.method);
  out.text(" ");
  out.demand(head.path.starts_with('/') || head.path == "*");
  out.target(head.path);
  if (head.has_query) {
    out.text("?");
    out.target(head.query);
  }
  out.text(" HTTP/1.1\r\nHost: ");
  out.value(host_value);
  out.text("\r\n");
  out.fields(head.fields, [](Name known) { return known == Name::Host || http::is_framing(known); });
  out.framing(framing);
  return out.end();
}

std::size_t response_head_size(const http::ResponseHead& head, const Framing& framing) {
  constexpr std::size_t kLongestPhrase = 40;
  return sizeof("HTTP/1.1 200 \r\nDate: \r\n") + kLongestPhrase + head.reason.size() + framing.date.size() +
         fields_size(head.fields) + framing.upgrade.size() + kFramingRoom;
}

char* write_response_head(char* to, const http::ResponseHead& head, const Framing& framing) {
  Out out(to);
  out.text(framing.http10 ? "HTTP/1.0 " : "HTTP/1.1 ");
  if (head.status < 100 || head.status > 999) return nullptr;
  out.number(static_cast<std::uint64_t>(head.status));
  out.text(" ");
  if (head.reason.empty())
    out.text(http::reason_phrase(head.status));
  else
    out.value(head.reason);
  out.text("\r\n");
  out.fields(head.fields, http::is_framing);
  if (!framing.date.empty() && !head.fields.has(Name::Date)) {
    out.text("Date: ");
    out.value(framing.date);
    out.text("\r\n");
  }
  out.framing(framing);
  return out.end();
}

}  // namespace fairlead::codec::h1
