#include "engine/middleware/encoded_characters.h"

#include <fmt/format.h>

namespace fairlead::middleware {

EncodedCharacters::EncodedCharacters(const Options& options)
    : allowed_{.allow_slash = options.allow_encoded_slash,
               .allow_back_slash = options.allow_encoded_back_slash,
               .allow_null_character = options.allow_encoded_null_character,
               .allow_semicolon = options.allow_encoded_semicolon,
               .allow_percent = options.allow_encoded_percent,
               .allow_question_mark = options.allow_encoded_question_mark,
               .allow_hash = options.allow_encoded_hash} {}

std::optional<exchange::Response> EncodedCharacters::on_request(exchange::Exchange& x) const {
  const auto denied = http::denied_escape(x.request.path, allowed_);
  if (!denied) return std::nullopt;
  return exchange::failure(
      x, Error{400, Fault::Client, false, fmt::format("{} in the path is not allowed", *denied)});
}

}  // namespace fairlead::middleware
