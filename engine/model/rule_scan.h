#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::model {

// The first string argument of each call of a matcher in a rule, in order: matcher_arguments(rule,
// "HostSNI"). The name is compared as rules do, without regard to case. No judgement on the rule: what does
// not parse is found by the rule's own parser; here a rule is only looked through for names that other
// settings depend on.
std::vector<std::string> matcher_arguments(std::string_view rule, std::string_view matcher);

}  // namespace fairlead::model
