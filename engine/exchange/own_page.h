#pragma once

#include <string>
#include <string_view>

namespace fairlead::exchange {

// What an answer of our own says, in any of its three forms.
struct OwnPage {
  int status = 0;
  std::string_view title;     // "Service Unavailable"
  std::string_view sentence;  // for people; empty: none
  std::string_view reason;    // class of the reason; empty: none
  std::string_view detail;    // names and addresses, for trusted clients; empty: none
  std::string_view request_id;
};

// One small page without anything to load. Everything in it is escaped.
std::string as_html(const OwnPage& page);
// RFC 9457.
std::string as_problem_json(const OwnPage& page);

enum class OwnForm : unsigned char { Text, Html, Json };

// The form that an Accept value prefers (RFC 9110 §12.5.1): text/html, application/problem+json or
// application/json where they are named with the highest weight, else text.
OwnForm preferred_form(std::string_view accept);

}  // namespace fairlead::exchange
