#include "engine/schema/resolve.h"

#include "engine/schema/scalar.h"

namespace fairlead::schema {

const TypeInfo& inner(const TypeInfo& type) {
  return type.kind == TypeKind::Optional || type.kind == TypeKind::List ? inner(type.element()) : type;
}

Target resolve(const TypeInfo& root, std::span<const Segment> segments) {
  Target target{.type = &root};
  for (const Segment& segment : segments) {
    const TypeInfo& type = inner(*target.type);
    if (type.kind == TypeKind::Raw) {
      target.good = segments.size();
      target.type = &type;
      return target;
    }
    if (type.kind == TypeKind::Map) {
      target.type = &type.element();
    } else if (type.kind == TypeKind::Struct) {
      const Option* row = find_row(type, segment.name);
      if (!row) return target;
      target.row = row;
      target.type = &row->type();
    } else {
      return target;
    }
    ++target.good;
  }
  return target;
}

bool may_stand_bare(const Target& target) {
  const TypeInfo& type = *target.type;
  const TypeInfo& plain = type.kind == TypeKind::Optional ? type.element() : type;
  return plain.kind == TypeKind::Bool || plain.kind == TypeKind::Struct;
}

bool is_scalar_option(const TypeInfo& type) {
  switch (inner(type).kind) {
    case TypeKind::Struct:
    case TypeKind::Map:
    case TypeKind::Raw: return false;
    default: return true;
  }
}

}  // namespace fairlead::schema
