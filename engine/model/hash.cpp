#include "engine/model/hash.h"

#include "engine/schema/node.h"

#include <openssl/evp.h>

#include <array>
#include <bit>
#include <cstring>
#include <string>

namespace fairlead::model {
namespace {

using schema::TypeKind;

// Values are written with their lengths, so that ("ab", "c") and ("a", "bc") differ.
void put(std::string& out, std::string_view text) {
  const std::uint64_t size = text.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(text);
}

void put(std::string& out, std::uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void write(std::string& out, const schema::Node& node) {
  out.push_back(static_cast<char>(node.kind()));
  out.push_back(node.has_value() ? 1 : 0);
  put(out, node.text());
  put(out, node.entries().size());
  for (const schema::Node::Entry& entry : node.entries()) {
    put(out, node.is_map() ? std::string_view(entry.key) : std::string_view());
    write(out, entry.value);
  }
}

void write(std::string& out, const schema::TypeInfo& type, const void* object) {
  switch (type.kind) {
    case TypeKind::Bool: out.push_back(*static_cast<const bool*>(object) ? 1 : 0); return;
    case TypeKind::Int: put(out, static_cast<std::uint64_t>(*static_cast<const int*>(object))); return;
    case TypeKind::Int64:
      put(out, static_cast<std::uint64_t>(*static_cast<const std::int64_t*>(object)));
      return;
    case TypeKind::Real: put(out, std::bit_cast<std::uint64_t>(*static_cast<const double*>(object))); return;
    case TypeKind::Text: put(out, *static_cast<const std::string*>(object)); return;
    case TypeKind::Duration:
      put(out, static_cast<std::uint64_t>(static_cast<const schema::Duration*>(object)->count()));
      return;
    case TypeKind::Raw: write(out, *static_cast<const schema::Node*>(object)); return;
    case TypeKind::Struct:
      for (const schema::Option& row : type.rows()) {
        put(out, row.name);
        write(out, row.type(), row.of(object));
      }
      return;
    case TypeKind::Optional:
    case TypeKind::List:
    case TypeKind::Map: {
      put(out, type.size(object));
      struct Context {
        std::string& out;
        const schema::TypeInfo& element;
      } context{out, type.element()};
      type.each(object, &context, [](void* raw, std::string_view key, const void* element) {
        auto& [out, info] = *static_cast<Context*>(raw);
        put(out, key);
        write(out, info, element);
      });
      return;
    }
  }
}

}  // namespace

std::uint64_t hash_options(const schema::TypeInfo& type, const void* object) {
  std::string bytes;
  bytes.reserve(256);
  write(bytes, type, object);
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), sum.data(), &size, EVP_sha256(), nullptr);
  std::uint64_t value = 0;
  std::memcpy(&value, sum.data(), sizeof value);
  return value;
}

}  // namespace fairlead::model
