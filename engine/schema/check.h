#pragma once

#include "engine/schema/duration.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fairlead::schema {

// Empty when the value is fine, else what is wrong with it: "must start with a slash".
using Complaint = std::optional<std::string>;

// A check of one value: a plain function or a lambda without captures that takes the value as
// std::string_view, std::int64_t (also for int), double, Duration, or the whole
// `const std::vector<std::string>&`. A check of a scalar applies to each element of a list or map.
class Check {
 public:
  using OfText = Complaint (*)(std::string_view);
  using OfInteger = Complaint (*)(std::int64_t);
  using OfReal = Complaint (*)(double);
  using OfDuration = Complaint (*)(Duration);
  using OfTexts = Complaint (*)(const std::vector<std::string>&);

  constexpr Check(std::nullptr_t = nullptr) {}

  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Check> &&
             !std::same_as<std::remove_cvref_t<F>, std::nullptr_t>)
  constexpr Check(F f) {
    if constexpr (std::convertible_to<F, OfText>)
      text = f;
    else if constexpr (std::convertible_to<F, OfInteger>)
      integer = f;
    else if constexpr (std::convertible_to<F, OfReal>)
      real = f;
    else if constexpr (std::convertible_to<F, OfDuration>)
      duration = f;
    else {
      static_assert(std::convertible_to<F, OfTexts>, "see the list of argument types above");
      texts = f;
    }
  }

  OfText text = nullptr;
  OfInteger integer = nullptr;
  OfReal real = nullptr;
  OfDuration duration = nullptr;
  OfTexts texts = nullptr;
};

// Checks that many options share.
Complaint not_empty(std::string_view text);
Complaint not_negative(std::int64_t value);
Complaint positive(std::int64_t value);
Complaint duration_not_negative(Duration value);
Complaint duration_positive(Duration value);

}  // namespace fairlead::schema
