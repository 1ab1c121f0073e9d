#include "acme/dns/settings.h"

#include "engine/base/strings.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <iterator>

namespace fairlead::acme::dns {
namespace {

constexpr std::size_t kMaxFile = 64 * 1024;

// "120" or "2m"; seconds when it has no unit.
std::optional<Duration> read_seconds(std::string_view text) {
  text = trim(text);
  std::int64_t unit = 1;
  if (!text.empty() && !is_digit(text.back())) {
    if (text.back() == 'm')
      unit = 60;
    else if (text.back() == 'h')
      unit = 3600;
    else if (text.back() != 's')
      return std::nullopt;
    text.remove_suffix(1);
  }
  const auto number = parse_digits(text);
  if (!number || *number > 10'000'000) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(*number) * unit);
}

}  // namespace

Settings::Settings(std::string provider, std::string prefix, const Environment& environment)
    : provider_(std::move(provider)), prefix_(std::move(prefix)), environment_(environment) {}

std::string Settings::text(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto value = environment_(name)) return std::string(trim(*value));
    const auto path = environment_(std::string(name) + "_FILE");
    if (!path) continue;
    std::ifstream in(*path, std::ios::binary);
    std::string contents(kMaxFile, '\0');
    in.read(contents.data(), static_cast<std::streamsize>(contents.size()));
    contents.resize(static_cast<std::size_t>(in.gcount()));
    while (!contents.empty() && (contents.back() == '\n' || contents.back() == '\r')) contents.pop_back();
    if (!contents.empty()) return std::string(trim(contents));
    complain(fmt::format("{}_FILE names {}, which cannot be read or is empty", name, *path));
    return {};
  }
  return {};
}

std::string Settings::need(std::initializer_list<const char*> names) {
  const std::size_t before = complaints_.size();
  std::string value = text(names);
  if (value.empty() && complaints_.size() == before) {
    std::string known;
    for (const char* name : names)
      known += (known.empty() ? "" : " (or ") + std::string(name) + (known.empty() ? "" : ")");
    complain(fmt::format(
        "{} is not set; give it to Fairlead's environment, or {}_FILE with the file that holds it", known,
        *names.begin()));
  }
  return value;
}

std::string Settings::url(const char* name, const std::string& standard) {
  std::string value = text({name});
  if (value.empty()) value = standard;
  while (value.ends_with('/')) value.pop_back();
  if (!value.empty() && !istarts_with(value, "http://") && !istarts_with(value, "https://"))
    complain(fmt::format("{} must be an http or https URL, not {}", name, fairlead::quoted(value)));
  return value;
}

Duration Settings::seconds(const std::string& name, Duration standard) {
  const std::string value = text({name.c_str()});
  if (value.empty()) return standard;
  if (const auto read = read_seconds(value)) return *read;
  spdlog::warn("DNS provider {}: {} is {}, not a number of seconds; {} s count", provider_, name,
               fairlead::quoted(value), standard / std::chrono::seconds(1));
  return standard;
}

std::uint32_t Settings::ttl(std::uint32_t standard, std::uint32_t lowest) {
  const std::string value = text({(prefix_ + "TTL").c_str()});
  if (value.empty()) return standard;
  const auto number = parse_digits(value);
  if (number && *number >= lowest && *number <= 0x7fff'ffff) return static_cast<std::uint32_t>(*number);
  spdlog::warn("DNS provider {}: {}TTL is {}, not a number from {}; {} s count", provider_, prefix_,
               fairlead::quoted(value), lowest, standard);
  return standard;
}

Duration Settings::http_timeout(Duration standard) {
  return std::max<Duration>(std::chrono::seconds(1), seconds(prefix_ + "HTTP_TIMEOUT", standard));
}

Timing Settings::timing(Duration timeout, Duration interval) {
  return {.timeout = seconds(prefix_ + "PROPAGATION_TIMEOUT", timeout),
          .interval = std::max<Duration>(std::chrono::milliseconds(100),
                                         seconds(prefix_ + "POLLING_INTERVAL", interval))};
}

void Settings::complain(std::string what) { complaints_.push_back(std::move(what)); }

Configured<> Settings::verdict() const {
  if (complaints_.empty()) return {};
  return misconfigured("dnsChallenge.provider", fmt::format("{}: {}", provider_, join(complaints_, "; ")));
}

}  // namespace fairlead::acme::dns
