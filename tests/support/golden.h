#pragma once

#include "engine/schema/labels.h"
#include "engine/schema/suggest.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

// For unit tests only: the pairs of files in tests/golden.
namespace fairlead::test {

inline std::filesystem::path golden() {
  const std::filesystem::path here = "tests/golden";
  return std::filesystem::exists(here) ? here : std::filesystem::path(__FILE__).parent_path() / "../golden";
}

inline std::string slurp(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// Lines "name=value".
inline schema::Labels labels_of(const std::filesystem::path& path) {
  schema::Labels out;
  std::istringstream lines(slurp(path));
  for (std::string line; std::getline(lines, line);)
    if (const std::size_t equals = line.find('='); equals != std::string::npos)
      out[line.substr(0, equals)] = line.substr(equals + 1);
  return out;
}

// Adds every key below `node` as `path`.key, in lower case, list positions left out.
inline void collect_keys(const schema::Node& node, const std::string& path, std::set<std::string>& out) {
  out.insert(path);
  for (const auto& entry : node.entries())
    collect_keys(entry.value, node.is_list() ? path : path + "." + schema::lower(entry.key), out);
}

// With FAIRLEAD_GOLDEN_WRITE set the file is written before; read the difference before committing it.
inline void expect_golden(const std::filesystem::path& expected, const std::string& shown) {
  if (std::getenv("FAIRLEAD_GOLDEN_WRITE")) std::ofstream(expected) << shown;
  EXPECT_EQ(slurp(expected), shown);
}

}  // namespace fairlead::test
