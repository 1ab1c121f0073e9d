#pragma once

#include <string>

namespace fairlead::cmd {

// The reference of every option as Markdown, printed from the option tables: docs/reference.md is exactly
// this text (`fairlead reference > docs/reference.md`), and a test holds the two together.
std::string option_reference();

}  // namespace fairlead::cmd
