#include "engine/schema/json.h"

#include <nlohmann/json.hpp>

namespace fairlead::schema {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMask = "xxxx";

void write(const TypeInfo& type, const void* object, bool secret, Json& out);

bool is_empty(const TypeInfo& type, const void* object) {
  switch (type.kind) {
    case TypeKind::Bool: return !*static_cast<const bool*>(object);
    case TypeKind::Int: return *static_cast<const int*>(object) == 0;
    case TypeKind::Int64: return *static_cast<const std::int64_t*>(object) == 0;
    case TypeKind::Real: return *static_cast<const double*>(object) == 0;
    case TypeKind::Text: return static_cast<const std::string*>(object)->empty();
    case TypeKind::Duration: return static_cast<const Duration*>(object)->count() == 0;
    case TypeKind::Raw: return static_cast<const Node*>(object)->is_null();
    case TypeKind::Struct: return false;
    case TypeKind::Optional:
    case TypeKind::List:
    case TypeKind::Map: return type.size(object) == 0;
  }
  return false;
}

void write_struct(const TypeInfo& type, const void* object, bool secret, Json& out) {
  out = Json::object();
  for (const Option& row : type.rows()) {
    const void* member = row.of(object);
    if (row.traits.hidden_in_json || (!row.traits.always && is_empty(row.type(), member))) continue;
    write(row.type(), member, secret || row.traits.secret, out[row.name]);
  }
}

// What `each` hands from element to element.
struct Target {
  const TypeInfo* element;
  bool secret;
  Json* out;
};

void write(const TypeInfo& type, const void* object, bool secret, Json& out) {
  switch (type.kind) {
    case TypeKind::Bool: out = *static_cast<const bool*>(object); return;
    case TypeKind::Int: out = *static_cast<const int*>(object); return;
    case TypeKind::Int64: out = *static_cast<const std::int64_t*>(object); return;
    case TypeKind::Real: out = *static_cast<const double*>(object); return;
    case TypeKind::Text: out = secret ? std::string(kMask) : *static_cast<const std::string*>(object); return;
    case TypeKind::Duration: out = print_duration(*static_cast<const Duration*>(object)); return;
    case TypeKind::Raw:
      if (secret)
        out = kMask;
      else
        write_node(*static_cast<const Node*>(object), out);
      return;
    case TypeKind::Struct: write_struct(type, object, secret, out); return;
    case TypeKind::Optional: {
      out = nullptr;
      Target target{&type.element(), secret, &out};
      type.each(object, &target, [](void* context, std::string_view, const void* element) {
        const Target& to = *static_cast<Target*>(context);
        write(*to.element, element, to.secret, *to.out);
      });
      return;
    }
    case TypeKind::List: {
      out = Json::array();
      Target target{&type.element(), secret, &out};
      type.each(object, &target, [](void* context, std::string_view, const void* element) {
        const Target& to = *static_cast<Target*>(context);
        write(*to.element, element, to.secret, to.out->emplace_back(Json()));
      });
      return;
    }
    case TypeKind::Map: {
      out = Json::object();
      Target target{&type.element(), secret, &out};
      type.each(object, &target, [](void* context, std::string_view key, const void* element) {
        const Target& to = *static_cast<Target*>(context);
        Json value;
        write(*to.element, element, to.secret, value);
        // The keys are different already; operator[] would compare with all of them.
        to.out->get_ref<Json::object_t&>().Container::emplace_back(std::string(key), std::move(value));
      });
      return;
    }
  }
}

std::string dump(const Json& json) {
  // Labels may hold any bytes; an invalid sequence must not end the process.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void write_json(const TypeInfo& type, const void* object, nlohmann::ordered_json& out) {
  write(type, object, false, out);
}

std::string json_text(const TypeInfo& type, const void* object) {
  Json out;
  write(type, object, false, out);
  return dump(out);
}

void write_node(const Node& node, nlohmann::ordered_json& out) {
  switch (node.kind()) {
    case Node::Kind::Null: out = nullptr; return;
    case Node::Kind::Scalar: out = node.text(); return;
    case Node::Kind::Map: {
      out = Json::object();
      auto& object = out.get_ref<Json::object_t&>();
      for (const Node::Entry& entry : node.entries()) {
        Json value;
        write_node(entry.value, value);
        object.Container::emplace_back(entry.key, std::move(value));
      }
      return;
    }
    case Node::Kind::List:
      out = Json::array();
      for (const Node::Entry& entry : node.entries()) write_node(entry.value, out.emplace_back(Json()));
      return;
  }
}

std::string node_text(const Node& node) {
  Json out;
  write_node(node, out);
  return dump(out);
}

}  // namespace fairlead::schema
