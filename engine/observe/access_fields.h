#pragma once

#include "engine/model/observability.h"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::http {
class Fields;
}

namespace fairlead::observe {

class FieldVisitor;

// The fields of a line but for headers, in the order of their names, which is the order of the JSON form up
// to EntryPointName. The two spellings of the trace's identifiers are Traefik's, of which the first is its
// old one.
enum class AccessField : std::uint8_t {
  ClientAddr,
  ClientHost,
  ClientPort,
  ClientUsername,
  DownstreamContentSize,
  DownstreamStatus,
  Duration,
  GzipRatio,
  OriginContentSize,
  OriginDuration,
  OriginStatus,
  Overhead,
  Reason,
  RequestAddr,
  RequestContentSize,
  RequestCount,
  RequestHost,
  RequestMethod,
  RequestPath,
  RequestPort,
  RequestProtocol,
  RequestScheme,
  RetryAttempts,
  RouterName,
  ServiceAddr,
  ServiceName,
  ServiceUrl,
  SpanId,
  StartLocal,
  StartUtc,
  TlsCipher,
  TlsClientSubject,
  TlsVersion,
  TraceId,
  EntryPointName,
  SpanIdSnake,
  TraceIdSnake,
  kCount,
};
inline constexpr auto kAccessFields = static_cast<std::size_t>(AccessField::kCount);

// "ServiceURL"
std::string_view name(AccessField field);

// What to tell people of names in accessLog.fields.names that are no fields, and in headers.names that are no
// headers: one would take what is to be dropped for dropped.
std::vector<std::string> unknown_fields(const model::AccessLogFields& options);

// accessLog.fields.names and defaultMode: which fields are written.
class KeptFields {
 public:
  explicit KeptFields(const model::AccessLogFields& options);
  bool operator[](AccessField field) const { return kept_[static_cast<std::size_t>(field)]; }

 private:
  std::bitset<kAccessFields> kept_;
};

// accessLog.fields.headers: which header fields are written, and which only as "REDACTED".
class KeptHeaders {
 public:
  enum class Mode : std::uint8_t { Keep, Drop, Redact };

  explicit KeptHeaders(const model::AccessLogHeaders& options);
  // False when no header can ever be written.
  bool any() const { return any_; }
  Mode mode(std::string_view name) const;
  // The values of a header, joined by ","; nothing when absent or dropped.
  std::string value(const http::Fields* fields, std::string_view name) const;
  // `"request_User-Agent":"…",` for each that is written.
  void append_json(std::string& out, std::string_view prefix, const http::Fields* fields) const;
  // The same for a visitor.
  void visit(std::string_view prefix, const http::Fields* fields, FieldVisitor& visitor) const;

 private:
  // Calls put(name as received, value) for each that is written.
  template <class Put>
  void each(const http::Fields* fields, Put put) const;

  Mode default_;
  std::map<std::string, Mode, std::less<>> names_;  // in lower case
  bool any_;
};

// Go's canonical spelling: "x-real-ip" becomes "X-Real-Ip".
std::string canonical_header_name(std::string_view name);

}  // namespace fairlead::observe
