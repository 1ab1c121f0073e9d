#include "providers/docker/container.h"

#include "engine/base/strings.h"
#include "providers/docker/engine_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <utility>

namespace fairlead::providers::docker {
namespace {

using nlohmann::json;

constexpr int kLastYear = 2250;  // nanoseconds in 64 bits end in 2262, and months go up to 99 here
constexpr std::int64_t kLongestStop = 86'400;  // seconds
// Signals of systemd (SIGRTMIN+3 stops it) and others, as Docker numbers them.
constexpr std::uint64_t kFirstRealTime = 34, kLastRealTime = 64, kRealTime = kLastRealTime - kFirstRealTime;

std::string bare_name(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

Labels labels_of(const json& object) {
  Labels out;
  const json& labels = member(object, "Labels");
  for (const auto& [key, value] : labels.items())
    if (value.is_string()) out.emplace(key, value.get<std::string>());
  return out;
}

std::vector<Attachment> attachments_of(const json& networks) {
  std::vector<Attachment> out;
  for (const auto& [name, value] : networks.items())
    out.push_back({name, text(value, "NetworkID"), text(value, "IPAddress"), text(value, "GlobalIPv6Address"),
                   text(value, "Gateway")});
  std::ranges::sort(out, {}, &Attachment::name);
  return out;
}

// "80/tcp", "53/udp", "80". Ranges do not occur in inspect.
std::optional<Port> parse_port(std::string_view key) {
  const std::size_t slash = key.find('/');
  const std::string_view protocol = slash == std::string_view::npos ? "tcp" : key.substr(slash + 1);
  const auto number = parse_digits(key.substr(0, slash));
  if (!number || *number == 0 || *number > 65535 || (protocol != "tcp" && protocol != "udp"))
    return std::nullopt;
  return Port{static_cast<std::uint16_t>(*number), protocol == "tcp", {}};
}

// Running containers list their ports in NetworkSettings; stopped ones and those in host mode only in Config.
std::vector<Port> ports_of(const json& container) {
  std::map<std::pair<std::uint16_t, bool>, Port> found;
  const auto add = [&](const std::string& key) -> Port* {
    auto port = parse_port(key);
    if (!port) return nullptr;
    return &found.try_emplace({port->number, !port->tcp}, *port).first->second;
  };
  for (const auto& [key, value] : member(member(container, "Config"), "ExposedPorts").items()) add(key);
  for (const auto& [key, bindings] : member(member(container, "NetworkSettings"), "Ports").items()) {
    Port* port = add(key);
    if (port == nullptr || !bindings.is_array()) continue;
    for (const json& binding : bindings)
      if (const auto number = parse_digits(text(binding, "HostPort"));
          number && *number > 0 && *number < 65536)
        port->bindings.push_back({text(binding, "HostIp"), static_cast<std::uint16_t>(*number)});
  }
  std::vector<Port> out;
  for (auto& [key, port] : found) out.push_back(std::move(port));
  return out;
}

std::string real_time_name(std::uint64_t number) {
  return number == kFirstRealTime ? "SIGRTMIN" : fmt::format("SIGRTMIN+{}", number - kFirstRealTime);
}

Running running_of(std::string_view status) {
  static constexpr std::array<std::pair<std::string_view, Running>, 10> kWords{{
      {"created", Running::Created},
      {"configured", Running::Created},  // Podman
      {"initialized", Running::Created},
      {"running", Running::Running},
      {"paused", Running::Paused},
      {"restarting", Running::Restarting},
      {"removing", Running::Removing},
      {"exited", Running::Exited},
      {"stopped", Running::Exited},  // Podman
      {"dead", Running::Dead},
  }};
  for (const auto& [word, value] : kWords)
    if (word == status) return value;
  return status == "stopping" ? Running::Running : Running::Exited;
}

Health health_of(std::string_view status) {
  if (status == "starting") return Health::Starting;
  if (status == "healthy") return Health::Healthy;
  if (status == "unhealthy") return Health::Unhealthy;
  return Health::None;  // "none", and Podman's empty text
}

std::string last_output(const json& health) {
  const json& log = member(health, "Log");
  if (!log.is_array() || log.empty()) return {};
  std::string out = text(log.back(), "Output");
  const std::size_t line = out.find_first_of("\r\n");
  out.resize(std::min({out.size(), line, std::size_t{160}}));
  return out;
}

void read_state(const json& state, Container& out) {
  out.running = running_of(text(state, "Status"));
  out.exit_code = member(state, "ExitCode").is_number_integer() ? member(state, "ExitCode").get<int>() : 0;
  out.oom_killed = member(state, "OOMKilled").is_boolean() && member(state, "OOMKilled").get<bool>();
  out.started = parse_time(text(state, "StartedAt"));
  // Podman 4 also has the older spelling "Healthcheck".
  const json& health = state.contains("Health") ? member(state, "Health") : member(state, "Healthcheck");
  out.health = health_of(text(health, "Status"));
  if (out.health == Health::Unhealthy) out.health_output = last_output(health);
}

// The word in parentheses of "Up 4 seconds (healthy)": the list has no other place for it before API 1.52.
std::string_view status_word(std::string_view status) {
  const std::size_t open = status.rfind('(');
  return status.starts_with("Up") && open != std::string_view::npos ? status.substr(open)
                                                                    : std::string_view();
}

std::string fingerprint_of(const json& row) {
  std::string out = text(row, "State");
  out.append("|").append(status_word(text(row, "Status")));
  out.append("|").append(text(member(row, "HostConfig"), "NetworkMode"));
  if (row.contains("Names")) out.append("|").append(row["Names"].dump());
  if (row.contains("Labels")) out.append("|").append(fmt::format("{:x}", fnv1a(row["Labels"].dump())));
  if (row.contains("Ports")) out.append("|").append(fmt::format("{:x}", fnv1a(row["Ports"].dump())));
  const json& networks = member(member(row, "NetworkSettings"), "Networks");
  for (const Attachment& a : attachments_of(networks))
    out.append("|").append(a.name).append("=").append(a.ipv4).append(",").append(a.ipv6);
  return out;
}

// As a part of a path: names of projects, services and engines may be whatever somebody wrote.
std::string without_slashes(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '/' || c == '%')
      out += fmt::format("%{:02X}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out;
}

}  // namespace

const std::string& Container::label(std::string_view key) const {
  static const std::string none;
  const auto found = labels.find(key);
  return found == labels.end() ? none : found->second;
}

std::string Container::base_name() const {
  if (!swarm_service.empty()) return swarm_service;
  const std::string p = project(), s = service();
  return p.empty() || s.empty() ? name : s + "_" + p;
}

std::string Container::owner() const {
  const std::string p = project(), s = service();
  const std::string prefix = host.empty() ? std::string() : without_slashes(host) + "//";
  if (!swarm_service.empty()) return prefix + without_slashes(swarm_service);
  return prefix +
         (p.empty() || s.empty() ? without_slashes(name) : without_slashes(p) + "/" + without_slashes(s));
}

std::string_view Container::network_of() const {
  static constexpr std::string_view kPrefix = "container:";
  const std::string_view mode = network_mode;
  return mode.starts_with(kPrefix) ? mode.substr(kPrefix.size()) : std::string_view();
}

std::expected<Container, std::string> parse_container(std::string_view text_) try {
  const auto parsed = parse_json(text_);
  if (!parsed) return std::unexpected("the answer cannot be read: " + parsed.error());
  const json& root = *parsed;
  if (!root.is_object() || text(root, "Id").empty()) return std::unexpected("the answer is no container");
  Container out;
  out.id = text(root, "Id");
  out.name = bare_name(text(root, "Name"));
  if (out.name.empty()) out.name = out.id.substr(0, 12);
  out.labels = labels_of(member(root, "Config"));
  out.network_mode = text(member(root, "HostConfig"), "NetworkMode");
  out.attachments = attachments_of(member(member(root, "NetworkSettings"), "Networks"));
  out.ports = ports_of(root);
  out.created = parse_time(text(root, "Created"));
  if (auto signal = text(member(root, "Config"), "StopSignal"); !signal.empty())
    out.stop_signal = signal_name(signal);
  if (const json& timeout = member(member(root, "Config"), "StopTimeout"); timeout.is_number_integer())
    out.stop_timeout =
        std::chrono::seconds(std::clamp<std::int64_t>(timeout.get<std::int64_t>(), 0, kLongestStop));
  read_state(member(root, "State"), out);
  return out;
} catch (const json::exception& e) {
  return std::unexpected(fmt::format("the answer cannot be read: {}", e.what()));
}

std::expected<std::vector<Listed>, std::string> parse_list(std::string_view text_) try {
  const auto parsed = parse_json(text_);
  if (!parsed) return std::unexpected("the list cannot be read: " + parsed.error());
  const json& root = *parsed;
  // null: a list of nothing, as Go writes it
  if (!root.is_array() && !root.is_null()) return std::unexpected("the answer is no list of containers");
  std::vector<Listed> out;
  for (const json& row : root) {
    Listed listed{text(row, "Id"), {}, fingerprint_of(row)};
    const json& names = member(row, "Names");
    if (names.is_array() && !names.empty() && names[0].is_string())
      listed.name = bare_name(names[0].get<std::string>());
    if (!listed.id.empty()) out.push_back(std::move(listed));
  }
  return out;
} catch (const json::exception& e) {
  return std::unexpected(fmt::format("the list cannot be read: {}", e.what()));
}

WallTime parse_time(std::string_view text) {
  std::tm tm{};
  int used = 0;
  const std::string z(text.substr(0, 40));
  if (std::sscanf(z.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                  &tm.tm_min, &tm.tm_sec, &used) != 6 ||
      tm.tm_year < 1970 || tm.tm_year > kLastYear)
    return {};
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  std::chrono::nanoseconds since = std::chrono::seconds(::timegm(&tm));
  std::size_t at = static_cast<std::size_t>(used);
  if (at < z.size() && z[at] == '.') {
    std::int64_t unit = 100'000'000;  // ns
    for (++at; at < z.size() && is_digit(z[at]); ++at, unit /= 10)
      since += std::chrono::nanoseconds(unit * (z[at] - '0'));
  }
  int hours = 0, minutes = 0;  // Podman writes local times with an offset
  if (at < z.size() && (z[at] == '+' || z[at] == '-') &&
      std::sscanf(z.c_str() + at + 1, "%2d:%2d", &hours, &minutes) == 2) {
    const auto offset = std::chrono::minutes(hours * 60 + minutes);
    since += z[at] == '+' ? -offset : offset;
  }
  return WallTime(since);
}

std::string signal_name(std::string_view text) {
  if (const auto number = parse_digits(text)) {
    if (*number >= kFirstRealTime && *number <= kLastRealTime) return real_time_name(*number);
    const char* const name = *number <= kFirstRealTime ? ::sigabbrev_np(static_cast<int>(*number)) : nullptr;
    return name == nullptr ? std::string(text) : std::string("SIG") + name;
  }
  std::string name = upper(text);
  if (!name.empty() && !name.starts_with("SIG")) name.insert(0, "SIG");
  if (name == "SIGRTMAX") return real_time_name(kLastRealTime);
  if (name.starts_with("SIGRTMAX-"))
    if (const auto below = parse_digits(std::string_view(name).substr(9)); below && *below <= kRealTime)
      return real_time_name(kLastRealTime - *below);
  return name;
}

}  // namespace fairlead::providers::docker
