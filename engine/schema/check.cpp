#include "engine/schema/check.h"

namespace fairlead::schema {

Complaint not_empty(std::string_view text) {
  if (!text.empty()) return std::nullopt;
  return "must not be empty";
}

Complaint not_negative(std::int64_t value) {
  if (value >= 0) return std::nullopt;
  return "must not be negative";
}

Complaint positive(std::int64_t value) {
  if (value > 0) return std::nullopt;
  return "must be greater than 0";
}

Complaint duration_not_negative(Duration value) {
  if (value.count() >= 0) return std::nullopt;
  return "must not be negative";
}

Complaint duration_positive(Duration value) {
  if (value.count() > 0) return std::nullopt;
  return "must be longer than 0";
}

}  // namespace fairlead::schema
