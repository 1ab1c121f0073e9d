#include "providers/rest/rest.h"

#include "engine/model/read.h"
#include "engine/schema/file.h"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace fairlead::providers::rest {
namespace {

constexpr const char* kSource = "PUT /api/providers/rest";

}  // namespace

Configured<Put> read(std::string_view text, const model::MiddlewareTypes& types) {
  const nlohmann::ordered_json json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (json.is_discarded()) return misconfigured(kSource, "the body is no JSON");
  if (!json.is_object()) return misconfigured(kSource, "expected a JSON object with http, tcp, udp or tls");
  const auto node = schema::read_yaml(text, kSource, schema::keep_templates);
  if (!node) return std::unexpected(node.error());
  if (const auto why = model::no_configuration(*node)) return misconfigured(kSource, *why);
  Put out;
  out.config = std::make_shared<const model::Dynamic>(model::read_dynamic(*node, {kSource, 0, 0}, types));
  out.json = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return out;
}

Rest::Rest() { status_ = {true, "nothing was put yet", std::chrono::system_clock::now()}; }

void Rest::start(Sink& sink) {
  {
    const std::lock_guard lock(mutex_);
    sink_ = &sink;
  }
  // The start waits for every provider's first word.
  sink.publish(name(), std::make_shared<const model::Dynamic>());
}

void Rest::stop() {
  const std::lock_guard lock(mutex_);
  sink_ = nullptr;
}

Status Rest::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Rest::take(std::shared_ptr<const model::Dynamic> config) {
  const std::lock_guard lock(mutex_);
  if (!sink_) return;
  for (const model::Reason& reason : config->reasons)
    spdlog::warn("rest: {}{}{}", reason.text, reason.hint.empty() ? "" : "; ", reason.hint);
  spdlog::info("rest: a configuration was put; it replaces the one before");
  status_.detail = "a configuration was put";
  status_.since = std::chrono::system_clock::now();
  sink_->publish(name(), std::move(config));
}

}  // namespace fairlead::providers::rest
