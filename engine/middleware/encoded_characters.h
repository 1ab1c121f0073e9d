#pragma once

#include "engine/exchange/middleware.h"
#include "engine/http/canonical.h"
#include "engine/schema/option.h"

namespace fairlead::middleware {

struct EncodedCharactersOptions {
  bool allow_encoded_slash = false;
  bool allow_encoded_back_slash = false;
  bool allow_encoded_null_character = false;
  bool allow_encoded_semicolon = false;
  bool allow_encoded_percent = false;
  bool allow_encoded_question_mark = false;
  bool allow_encoded_hash = false;
};

// Answers 400 to a path with an escape that is not allowed. The defaults are the opposite of the entry
// point's options of the same names: who uses this middleware wants them refused.
class EncodedCharacters final : public exchange::HeadMiddleware {
 public:
  using Options = EncodedCharactersOptions;
  explicit EncodedCharacters(const Options& options);

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const http::EncodedCharacters allowed_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::EncodedCharactersOptions> =
    table(option<&middleware::EncodedCharactersOptions::allow_encoded_slash>(
              "allowEncodedSlash", "Let %2F through.", {.tier = Tier::T3}),
          option<&middleware::EncodedCharactersOptions::allow_encoded_back_slash>(
              "allowEncodedBackSlash", "Let %5C through.", {.tier = Tier::T3}),
          option<&middleware::EncodedCharactersOptions::allow_encoded_null_character>(
              "allowEncodedNullCharacter", "Let %00 through.", {.tier = Tier::T3}),
          option<&middleware::EncodedCharactersOptions::allow_encoded_semicolon>(
              "allowEncodedSemicolon", "Let %3B through.", {.tier = Tier::T3}),
          option<&middleware::EncodedCharactersOptions::allow_encoded_percent>(
              "allowEncodedPercent", "Let %25 through.", {.tier = Tier::T3}),
          option<&middleware::EncodedCharactersOptions::allow_encoded_question_mark>(
              "allowEncodedQuestionMark", "Let %3F through.", {.tier = Tier::T3}),
          option<&middleware::EncodedCharactersOptions::allow_encoded_hash>(
              "allowEncodedHash", "Let %23 through.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::EncodedCharactersOptions>());
