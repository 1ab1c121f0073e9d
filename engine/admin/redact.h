#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

// What leaves the house in a support dump is read by strangers. Option tables mask their secrets themselves;
// this covers what no table describes: sections of areas that are out of scope, URLs with a password in them,
// the command line.
namespace fairlead::admin {

// "password", "apiToken", "--providers.redis.password".
bool names_a_secret(std::string_view name);

// In place: values under such names, and user names and passwords in URLs.
void redact(nlohmann::ordered_json& json);

}  // namespace fairlead::admin
