#include "engine/telemetry/wire.h"

#include "engine/base/strings.h"
#include "engine/base/utf8.h"
#include "engine/http/url.h"
#include "engine/telemetry/collector.h"
#include "engine/telemetry/write.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace fairlead::telemetry {
namespace {

std::string host_name() {
  std::array<char, 256> text{};
  return ::gethostname(text.data(), text.size() - 1) == 0 ? text.data() : "";
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::string_view clean_text(std::string_view text, std::string& scratch) {
  if (text.size() <= kMaxText &&
      std::ranges::all_of(text, [](char c) { return static_cast<signed char>(c) >= 0; }))
    return text;
  scratch.clear();
  while (!text.empty() && scratch.size() < kMaxText) {
    const std::size_t size = utf8_length(text);
    scratch += size == 0 ? kReplacementCharacter : text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return scratch;
}

std::map<std::string, std::string> read_resource_attributes(std::string_view text) {
  std::map<std::string, std::string> out;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = trim(part.substr(0, equals));
    const auto value = http::percent_decode(trim(part.substr(equals + 1)));
    if (!key.empty() && value) out[std::string(key)] = *value;
  }
  return out;
}

std::string resource(const std::string& service_name, const std::map<std::string, std::string>& attributes) {
  std::map<std::string, std::string> all = {
      {"service.name", service_name},    {"service.version", FAIRLEAD_VERSION},
      {"host.name", host_name()},        {"telemetry.sdk.name", "fairlead"},
      {"telemetry.sdk.language", "cpp"}, {"telemetry.sdk.version", FAIRLEAD_VERSION}};
  for (const auto& [key, value] : attributes) all[key] = value;
  for (const auto& [key, value] : read_resource_attributes(variable("OTEL_RESOURCE_ATTRIBUTES")))
    all[key] = value;
  if (const std::string name = variable("OTEL_SERVICE_NAME"); !name.empty()) all["service.name"] = name;
  std::string out;
  protozero::pbf_writer writer(out);
  for (const auto& [key, value] : all)
    if (!value.empty()) add_attribute(writer, 1, key, value);
  add_attribute(writer, 1, "process.pid", std::int64_t{::getpid()});
  return out;
}

std::string export_request(std::string_view resource, const std::vector<std::string>& records) {
  std::size_t size = 0;
  for (const std::string& piece : records) size += piece.size();
  std::string out(Collector::kFrame, '\0');
  out.reserve(size + resource.size() + 128);
  protozero::pbf_writer request(out);
  protozero::pbf_writer of_resource(request, 1);
  of_resource.add_message(1, resource.data(), resource.size());
  protozero::pbf_writer of_scope(of_resource, 2);
  {
    protozero::pbf_writer scope(of_scope, 1);
    scope.add_string(1, "fairlead");
    scope.add_string(2, FAIRLEAD_VERSION);
  }
  for (const std::string& piece : records) out += piece;
  return out;
}

}  // namespace fairlead::telemetry
