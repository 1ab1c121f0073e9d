#pragma once

#include "engine/exchange/exchange.h"
#include "engine/http/fields.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::middleware {

// The one Authorization line of a request. Nothing when there is none, or when there are several or one in a
// disguise ("Authorization_x" folds to no other name, "authorization" does): the origin might read another
// one than we do.
std::optional<std::string_view> authorization(const http::Fields& fields);

struct BasicCredentials {
  std::string user;
  std::string password;
};

// "Basic " and padded base64 of user ":" password (RFC 7617).
std::optional<BasicCredentials> parse_basic(std::string_view authorization);
std::string basic_authorization(const BasicCredentials& credentials);

// The parameters behind "Digest " (RFC 7616 §3.4), names in lower case. Nothing when it does not parse, when
// a name comes twice, or when there are more than 32.
std::optional<std::map<std::string, std::string>> parse_digest(std::string_view authorization);

// Text for a quoted-string (RFC 9110 §5.6.4), without the quotes.
std::string escape_quoted(std::string_view text);

// 401 with this challenge in WWW-Authenticate; `why` is for the logs.
exchange::Response unauthorized(exchange::Exchange& x, std::string_view challenge, std::string why);
// `why` of a request without credentials that could be read.
std::string why_unread(const exchange::Exchange& x, std::string_view middleware);

// What both kinds of password check do with a request that passed: removes Authorization if asked, and tells
// the origin the user's name in `header`, if any. All lines that an origin could take for that header go
// first, trailers too; `header` lives as long as the exchange.
void pass_identity(exchange::Exchange& x, std::string_view user, bool remove_authorization,
                   std::string_view header);

}  // namespace fairlead::middleware
