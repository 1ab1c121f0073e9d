#pragma once

// For the sources of this room only: it brings protozero.

#include "engine/telemetry/wire.h"

#include <protozero/pbf_writer.hpp>

#include <cstdint>
#include <string_view>

namespace fairlead::telemetry {

inline constexpr protozero::pbf_tag_type kRecord = 2;  // of ScopeSpans, ScopeLogs, ScopeMetrics

inline void add_text(protozero::pbf_writer& into, protozero::pbf_tag_type tag, std::string_view text) {
  std::string scratch;
  const std::string_view clean = clean_text(text, scratch);
  into.add_string(tag, clean.data(), clean.size());
}

// KeyValue{key, AnyValue{string_value}}
inline void add_attribute(protozero::pbf_writer& into, protozero::pbf_tag_type tag, std::string_view key,
                          std::string_view text) {
  protozero::pbf_writer attribute(into, tag);
  add_text(attribute, 1, key);
  protozero::pbf_writer value(attribute, 2);
  add_text(value, 1, text);
}

// KeyValue{key, AnyValue{int_value}}
inline void add_attribute(protozero::pbf_writer& into, protozero::pbf_tag_type tag, std::string_view key,
                          std::int64_t number) {
  protozero::pbf_writer attribute(into, tag);
  add_text(attribute, 1, key);
  protozero::pbf_writer value(attribute, 2);
  value.add_int64(3, number);
}

// KeyValue{key, AnyValue{double_value}}
inline void add_attribute(protozero::pbf_writer& into, protozero::pbf_tag_type tag, std::string_view key,
                          double number) {
  protozero::pbf_writer attribute(into, tag);
  add_text(attribute, 1, key);
  protozero::pbf_writer value(attribute, 2);
  value.add_double(4, number);
}

}  // namespace fairlead::telemetry
