#pragma once

#include "engine/middleware/go_expand.h"
#include "engine/schema/problem.h"

#include <string>
#include <string_view>
#include <vector>

// What is written by mistake time and again: it works as it is written, and never as it was meant. The
// middleware stands, with a warning.
namespace fairlead::middleware {

void warn(std::string_view option, std::string what, schema::Problems& notices);

// "$$1", which means the text "$1" where no Compose makes one dollar of the two, and "$1_x", which asks for a
// group of the name "1_x".
void tell_lost_groups(std::string_view option, std::string_view written, const Replacement& made,
                      schema::Problems& notices);

// "[a-z]{1,3}" in a label, where the comma makes two patterns of it.
void tell_cut_patterns(std::string_view option, const std::vector<std::string>& patterns,
                       schema::Problems& notices);

// "https://*.example.com", "https://example.com/" and what else no browser sends as Origin.
void tell_unsent_origins(std::string_view option, const std::vector<std::string>& origins,
                         schema::Problems& notices);

}  // namespace fairlead::middleware
