#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// How OTLP's messages look on the wire; the numbers of fields are those of opentelemetry-proto 1.5. All that
// three signals have in common.
namespace fairlead::telemetry {

// The text as protobuf wants it: UTF-8, other bytes as U+FFFD, and not longer than kMaxText bytes, because
// clients write much of it. A view of `text` when nothing is to be done, else of `scratch`.
inline constexpr std::size_t kMaxText = 8192;
std::string_view clean_text(std::string_view text, std::string& scratch);

// A Resource: who sends. The attributes of the options stand over service.name and what is known of this
// program and host; OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME stand over all.
std::string resource(const std::string& service_name, const std::map<std::string, std::string>& attributes);
// "key=value,…" with escapes, of OTEL_RESOURCE_ATTRIBUTES; malformed entries are left out.
std::map<std::string, std::string> read_resource_attributes(std::string_view text);

// A whole Export…ServiceRequest of one resource, behind room for Collector::kFrame. `records` are encoded as
// fields of their scope: spans, log records and metrics alike are field 2 of it.
std::string export_request(std::string_view resource, const std::vector<std::string>& records);

}  // namespace fairlead::telemetry
