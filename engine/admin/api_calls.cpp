#include "engine/admin/api.h"
#include "engine/admin/api_list.h"
#include "engine/admin/certificates.h"
#include "engine/admin/json_text.h"
#include "engine/admin/redact.h"
#include "engine/admin/support_dump.h"
#include "engine/middleware/registry.h"
#include "engine/model/api_json.h"
#include "engine/model/merge.h"
#include "engine/model/served_routers.h"
#include "engine/schema/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>
#include <optional>

namespace fairlead::admin {
namespace {

using Json = nlohmann::ordered_json;

// Only the table of a middleware knows which options are secret.
std::string middleware_options(const model::Middleware& middleware) {
  const middleware::Type* type = middleware::find(middleware.type);
  if (!type) return schema::node_text(middleware.options);
  schema::Problems ignored;  // the element carries them as reasons
  const std::shared_ptr<const void> options = type->read(middleware.options, ignored);
  return options ? schema::json_text(type->options_type(), options.get()) : std::string();
}

ApiAnswer missing(std::string_view what, std::string_view name) {
  return ApiAnswer::error(404, fmt::format("{} not found: {}", what, name));
}

// A list of elements, or one of them by name.
template <class Elements, class Write, class Describe>
ApiAnswer elements(const Elements& elements, std::string_view what, const std::string* name,
                   const ApiQuery& query, Write write, Describe describe) {
  if (name) {
    const auto found = elements.find(*name);
    if (found == elements.end()) return missing(what, *name);
    return {.status = 200, .body = write(found->first, found->second), .next_page = 0};
  }
  std::vector<ListItem> items;
  items.reserve(elements.size());
  for (const auto& [key, element] : elements) {
    ListItem item{
        .name = key, .status = model::status(element), .searched = {}, .service = {}, .json = nullptr};
    describe(item, element);
    item.json = [&write, &key, &element] { return write(key, element); };
    items.push_back(std::move(item));
  }
  return list(std::move(items), query.parameters);
}

class Calls {
 public:
  Calls(const ApiQuery& query, const AdminView& view, const Sources& sources)
      : query_(query),
        view_(view),
        sources_(sources),
        served_(shows_http_routers(query) ? model::served_routers(view.dynamic->http, *view.install)
                                          : std::nullopt),
        context_{
            .usage = view.usage,
            .middleware_options =
                [&sources](const model::Middleware& middleware, model::Layer layer) {
                  if (layer == model::Layer::Http) return middleware_options(middleware);
                  return sources.tcp_middleware_options ? sources.tcp_middleware_options(middleware)
                                                        : schema::node_text(middleware.options);
                },
            .server_up = sources.server_up,
            .illness = sources.illness,
            .more_reasons = [this](model::Layer layer,
                                   const std::string& router) { return certificate_reasons(layer, router); },
            .served_routers = served_ ? &*served_ : nullptr} {}

  ApiAnswer answer() const {
    const std::vector<std::string>& path = query_.segments;
    const std::string& first = path.front();
    if (path.size() == 1) {
      if (first == "overview") return found(overview());
      if (first == "version") return found(version());
      if (first == "rawdata") return found(model::rawdata_json(*view_.dynamic, context_));
      if (first == "support-dump") return support_dump();
    }
    if (first == "certificates" && path.size() <= 2)
      return answer_certificates(path.size() == 2 ? &path[1] : nullptr, query_.parameters, sources_);
    if (first == "entrypoints" && path.size() <= 2)
      return entry_points(path.size() == 2 ? &path[1] : nullptr);
    if (path.size() != 2 && path.size() != 3) return unknown();
    const std::string* name = path.size() == 3 ? &path[2] : nullptr;
    if (first == "http") return layer(view_.dynamic->http, path[1], name, view_.dynamic->http.standings);
    if (first == "tcp") return layer(view_.dynamic->tcp, path[1], name, view_.dynamic->tcp.standings);
    if (first == "udp") return layer(view_.dynamic->udp, path[1], name, view_.dynamic->udp.standings);
    return unknown();
  }

 private:
  static bool shows_http_routers(const ApiQuery& query) {
    const std::vector<std::string>& path = query.segments;
    if (path.size() == 1) return path[0] == "rawdata" || path[0] == "support-dump";
    return path[0] == "http" && path[1] == "routers";
  }
  static ApiAnswer found(std::string body) {
    return {.status = 200, .body = std::move(body), .next_page = 0};
  }
  static ApiAnswer unknown() { return {.status = 404, .body = "404 page not found\n", .next_page = 0}; }

  template <class Layer, class Standings>
  ApiAnswer layer(const Layer& layer, std::string_view kind, const std::string* name,
                  const Standings& standings) const {
    const auto plain = [this](const std::string& key, const auto& element) {
      return model::api_json(key, element, context_);
    };
    if (kind == "routers")
      return elements(routers(layer, name), "router", name, query_, plain,
                      [&](ListItem& item, const auto& element) {
                        if constexpr (requires { layer.middlewares; })
                          if (element.reasons.empty() &&
                              !certificate_reasons(layer_of(layer), std::string(item.name)).empty())
                            item.status = "warning";
                        if constexpr (requires { element.options.rule; }) {
                          item.searched = element.options.rule;
                          item.middlewares = element.options.middlewares;
                        }
                        item.service = element.options.service;
                      });
    const auto service = [&](const std::string& key, const auto& element) {
      const auto known = standings.find(key);
      return model::api_json(key, element, known == standings.end() ? nullptr : &known->second, context_);
    };
    if (kind == "services")
      return elements(layer.services, "service", name, query_, service, [](ListItem&, const auto&) {});
    if constexpr (requires { layer.middlewares; }) {
      const model::Layer which = layer_of(layer);
      const auto middleware = [&](const std::string& key, const auto& element) {
        return model::api_json(key, element, which, context_);
      };
      if (kind == "middlewares")
        return elements(layer.middlewares, "middleware", name, query_, middleware,
                        [](ListItem&, const auto&) {});
    }
    return unknown();
  }
  // A router that is split is still found by the name it was given.
  const std::map<std::string, model::Element<model::HttpRouter>>& routers(const model::Http& http,
                                                                          const std::string* name) const {
    return served_ && (!name || served_->contains(*name)) ? *served_ : http.routers;
  }
  static const auto& routers(const auto& layer, const std::string*) { return layer.routers; }
  std::vector<model::Reason> certificate_reasons(model::Layer layer, const std::string& router) const {
    if (!sources_.certificate_reasons) return {};
    return sources_.certificate_reasons(
        layer == model::Layer::Http
            ? "http/" + model::configured_name(router, view_.dynamic->http, *view_.install)
            : "tcp/" + router);
  }
  static model::Layer layer_of(const model::Http&) { return model::Layer::Http; }
  static model::Layer layer_of(const model::Tcp&) { return model::Layer::Tcp; }

  ApiAnswer entry_points(const std::string* name) const {
    const auto& all = view_.install->entry_points;
    if (name) {
      const auto known = all.find(*name);
      return known == all.end() ? missing("entry point", *name)
                                : found(model::api_json(known->first, known->second));
    }
    std::vector<ListItem> items;
    for (const auto& [key, entry_point] : all)
      items.push_back(
          {.name = key, .status = "enabled", .searched = {}, .service = {}, .json = [&key, &entry_point] {
             return model::api_json(key, entry_point);
           }});
    return list(std::move(items), query_.parameters);
  }

  std::string overview() const {
    Json out = Json::parse(model::overview_json(*view_.dynamic, *view_.install, context_));
    const CertificateTotals totals = certificate_totals(sources_);
    out["certificates"] = {{"total", totals.total}, {"warnings", totals.warnings}, {"errors", totals.errors}};
    if (sources_.providers) {
      Json& states = out["providerStates"] = Json::array();
      for (const ProviderState& provider : sources_.providers())
        states.push_back({{"name", provider.name},
                          {"connected", provider.connected},
                          {"detail", provider.detail},
                          {"since", time_text(provider.since)}});
    }
    for (const model::Reason& reason : view_.dynamic->reasons)
      out["reasons"].push_back({{"kind", model::name(reason.kind)},
                                {"text", reason.text},
                                {"breaks", reason.breaks},
                                {"hint", reason.hint}});
    return dump(out);
  }

  // For whoever helps from outside: what runs, how it is configured, what it made of it. Secrets are masked.
  ApiAnswer support_dump() const {
    Json install = Json::parse(schema::json_text(*view_.install));
    redact(install);
    Json runtime = Json::parse(model::rawdata_json(*view_.dynamic, context_));
    redact(runtime);
    const DumpedFile files[] = {{"version.json", version()},
                                {"static-config.json", dump(install)},
                                {"runtime-config.json", dump(runtime)}};
    std::string archive = tar_gz(
        files, std::chrono::duration_cast<std::chrono::seconds>(view_.applied.time_since_epoch()).count());
    if (archive.empty()) return ApiAnswer::error(503, "out of memory");
    return {.status = 200, .body = std::move(archive), .next_page = 0, .archive = "support-dump.tar.gz"};
  }

  std::string version() const {
    Json out{{"Version", sources_.version},
             {"Codename", sources_.codename},
             {"startDate", time_text(sources_.started)}};
    if (view_.install->api) {
      if (view_.install->api->disable_dashboard_ad) out["disableDashboardAd"] = true;
      if (!view_.install->api->dashboard_name.empty())
        out["dashboardName"] = view_.install->api->dashboard_name;
    }
    return dump(out);
  }

  const ApiQuery& query_;
  const AdminView& view_;
  const Sources& sources_;
  const std::optional<std::map<std::string, model::Element<model::HttpRouter>>> served_;
  const model::ApiContext context_;
};

}  // namespace

ApiAnswer answer_api(const ApiQuery& query, const AdminView& view, const Sources& sources) {
  return Calls(query, view, sources).answer();
}

}  // namespace fairlead::admin
