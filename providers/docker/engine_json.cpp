#include "providers/docker/engine_json.h"

#include "engine/base/strings.h"

namespace fairlead::providers::docker {
namespace {

using nlohmann::json;

constexpr int kDeepest = 64;                // answers of engines nest less than ten deep
constexpr std::size_t kMaxComplaint = 200;  // bytes; json quotes the token it stopped at, however long

}  // namespace

std::expected<json, std::string> parse_json(std::string_view text) try {
  return json::parse(text, [](int depth, json::parse_event_t, json&) { return depth < kDeepest; });
} catch (const json::exception& e) {
  return std::unexpected(quoted(e.what(), kMaxComplaint));
}

}  // namespace fairlead::providers::docker
