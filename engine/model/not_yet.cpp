#include "engine/model/not_yet.h"

#include "engine/model/static.h"
#include "engine/schema/read.h"

#include <fmt/format.h>

#include <vector>

namespace fairlead::model {
namespace {

using schema::TypeInfo;
using schema::TypeKind;

// Sorted by area. Of the dynamic configuration: broken where serving without it would be unsafe.
constexpr NotYet kNotYet[] = {
    {"http.middlewares.*.plugin", true, true},
    {"http.serversTransports.*.spiffe", true, false, "services that use this transport answer 503"},
    {"tcp.serversTransports.*.tls.spiffe", true, false,
     "connections to services that use this transport fail"},
    {"entryPoints.*.http3"},
    {"hostResolver.cnameFlattening"},
    {"providers.redis"},
    {"providers.etcd"},
    {"providers.consul"},
    {"providers.zooKeeper"},
    {"ocsp"},
};

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t dot = path.find('.');
    out.push_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return out;
    path.remove_prefix(dot + 1);
  }
}

// Whether a plain value is other than its type's own empty one.
bool is_set(const TypeInfo& type, const void* object, const void* by_default) {
  switch (type.kind) {
    case TypeKind::Bool: return *static_cast<const bool*>(object) != *static_cast<const bool*>(by_default);
    case TypeKind::Int: return *static_cast<const int*>(object) != *static_cast<const int*>(by_default);
    case TypeKind::Int64:
      return *static_cast<const std::int64_t*>(object) != *static_cast<const std::int64_t*>(by_default);
    case TypeKind::Real:
      return *static_cast<const double*>(object) != *static_cast<const double*>(by_default);
    case TypeKind::Text:
      return *static_cast<const std::string*>(object) != *static_cast<const std::string*>(by_default);
    case TypeKind::Duration:
      return *static_cast<const schema::Duration*>(object) !=
             *static_cast<const schema::Duration*>(by_default);
    case TypeKind::Raw: return !static_cast<const schema::Node*>(object)->is_null();
    case TypeKind::Optional:
    case TypeKind::List:
    case TypeKind::Map: return type.size(object) > 0;
    case TypeKind::Struct:
      for (const schema::Option& row : type.rows())
        if (is_set(row.type(), row.of(object), row.of(by_default))) return true;
      return false;
  }
  return false;
}

using Path = std::span<const std::string_view>;

// Where below the object the option is set, with the free names as written.
void find_set(const TypeInfo& type, const void* object, const void* by_default, Path path, schema::Path at,
              std::vector<schema::Path>& found) {
  if (path.empty()) {
    if (is_set(type, object, by_default)) found.push_back(std::move(at));
    return;
  }
  switch (type.kind) {
    case TypeKind::Struct:
      for (const schema::Option& row : type.rows()) {
        if (path.front() != row.name) continue;
        at.emplace_back(row.name);
        return find_set(row.type(), row.of(object), row.of(by_default), path.subspan(1), std::move(at),
                        found);
      }
      return;
    case TypeKind::Optional:
    case TypeKind::List:
    case TypeKind::Map: {
      struct Context {
        const TypeInfo& element;
        Path path;
        const schema::Path& at;
        std::vector<schema::Path>& found;
      } context{type.element(), type.kind == TypeKind::Optional ? path : path.subspan(1), at, found};
      type.each(object, &context, [](void* raw, std::string_view key, const void* element) {
        Context& c = *static_cast<Context*>(raw);
        schema::Path here = c.at;
        if (!key.empty()) here.emplace_back(key);
        const void* defaults = c.element.kind == TypeKind::Struct ? c.element.defaults() : nullptr;
        // What stands in a list or map was written by somebody: it is set when the path ends at it.
        if (c.path.empty())
          c.found.push_back(std::move(here));
        else if (defaults)
          find_set(c.element, element, defaults, c.path, std::move(here), c.found);
      });
      return;
    }
    default: return;
  }
}

std::vector<schema::Path> places(const TypeInfo& type, const void* object, Path path) {
  std::vector<schema::Path> found;
  find_set(type, object, type.defaults(), path, {}, found);
  return found;
}

std::string sentence(const NotYet& option) {
  const std::string out = fmt::format("{} is not yet in effect", option.path);
  return option.refusal ? fmt::format("{}, so {}", out, option.refusal) : out;
}

Reason reason_of(const NotYet& option, const schema::Node& node) {
  if (!option.out_of_scope) return {ReasonKind::NotYet, sentence(option), {}, option.breaks};
  std::string names;
  for (const schema::Node::Entry& entry : node.entries())
    names += fmt::format("{}`{}`", names.empty() ? "" : ", ", entry.key);
  return {ReasonKind::OutOfScope,
          fmt::format("the plugin {} cannot be used here, so routers with this middleware answer 503", names),
          {},
          option.breaks};
}

template <class T>
void mark(std::map<std::string, Element<T>>& elements, const NotYet& option, Path path) {
  const TypeInfo& type = schema::type_of<T>();
  for (auto& [name, element] : elements)
    if (!places(type, &element.options, path).empty())
      element.reasons.push_back({ReasonKind::NotYet, sentence(option), {}, option.breaks});
}

void mark(std::map<std::string, Element<Middleware>>& elements, const NotYet& option, Path path) {
  for (auto& [name, element] : elements) {
    if (path.empty() || element.options.type != path.front()) continue;
    const schema::Node* node = &element.options.options;
    for (const std::string_view key : path.subspan(1)) node = node ? node->find_ignoring_case(key) : nullptr;
    if (node) element.reasons.push_back(reason_of(option, *node));
  }
}

void mark(Dynamic& dynamic, const NotYet& option) {
  const std::vector<std::string_view> all = segments(option.path);
  if (all.size() < 3) return;  // an area of the install configuration
  const Path rest = Path(all).subspan(3);
  const auto part = [&](auto& in) {
    if (all[1] == "routers") mark(in.routers, option, rest);
    if (all[1] == "services") mark(in.services, option, rest);
  };
  const auto whole = [&](auto& in) {
    part(in);
    if (all[1] == "middlewares") mark(in.middlewares, option, rest);
    if (all[1] == "serversTransports") mark(in.servers_transports, option, rest);
  };
  if (all[0] == "http") whole(dynamic.http);
  if (all[0] == "tcp") whole(dynamic.tcp);
  if (all[0] == "udp") part(dynamic.udp);
  if (all[0] == "tls" && all[1] == "options") mark(dynamic.tls.options, option, rest);
  if (all[0] == "tls" && all[1] == "stores") mark(dynamic.tls.stores, option, rest);
}

}  // namespace

std::span<const NotYet> not_yet() { return kNotYet; }

void mark_not_yet(Dynamic& dynamic) {
  for (const NotYet& option : kNotYet) mark(dynamic, option);
}

void report_not_yet(const Static& install, schema::Problems& problems) {
  const TypeInfo& type = schema::type_of<Static>();
  for (const NotYet& option : kNotYet) {
    const std::vector<std::string_view> path = segments(option.path);
    for (schema::Path& place : places(type, &install, path)) {
      schema::Problem& problem = problems.emplace_back();
      problem.kind = schema::Problem::Kind::NotYet;
      problem.severity = schema::Severity::Notice;
      problem.path = fmt::format("{}", fmt::join(place, "."));
      problem.key = place.back();
      problem.segments = std::move(place);
      problem.what = "is not yet in effect";
    }
  }
}

}  // namespace fairlead::model
