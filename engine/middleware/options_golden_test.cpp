#include "engine/middleware/registry.h"
#include "engine/schema/json.h"
#include "engine/schema/labels.h"
#include "engine/schema/suggest.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

// tests/golden/middleware_*: labels.txt in, options.json out: what the option tables make of each label, with
// the types and masked secrets that the API shows. FAIRLEAD_GOLDEN_WRITE writes the expected files.
namespace fairlead::middleware {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path golden() {
  const fs::path here = "tests/golden";
  return fs::exists(here) ? here : fs::path(__FILE__).parent_path() / "../../tests/golden";
}

std::string slurp(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

std::vector<fs::path> cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(golden()))
    if (entry.path().filename().string().starts_with("middleware_")) out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

schema::Node middlewares_of(const fs::path& directory) {
  schema::Labels labels;
  std::istringstream lines(slurp(directory / "labels.txt"));
  for (std::string line; std::getline(lines, line);)
    if (const std::size_t equals = line.find('='); equals != std::string::npos)
      labels[line.substr(0, equals)] = line.substr(equals + 1);
  schema::Problems problems;
  schema::Node root = schema::read_labels(labels, "container shop-1", problems);
  EXPECT_TRUE(problems.empty()) << problems.front().text();
  return root.child("http").child("middlewares");
}

class OptionsGolden : public testing::TestWithParam<fs::path> {};

TEST_P(OptionsGolden, LabelsBecomeTheExpectedOptions) {
  Json shown = Json::object();
  for (const auto& [name, middleware] : middlewares_of(GetParam()).entries())
    for (const auto& [key, options] : middleware.entries()) {
      const Type* type = find(key);
      ASSERT_TRUE(type) << key;
      schema::Problems problems;
      const auto object = type->read(options, problems);
      schema::write_json(type->options_type(), object.get(), shown[name][type->name]);
      for (const schema::Problem& problem : problems)
        shown[name]["said"].push_back(problem.segments.back() + ": " + problem.what);
    }

  const std::string text = shown.dump(2) + "\n";
  const fs::path expected = GetParam() / "options.json";
  if (std::getenv("FAIRLEAD_GOLDEN_WRITE")) std::ofstream(expected) << text;
  EXPECT_EQ(slurp(expected), text);
}

INSTANTIATE_TEST_SUITE_P(Cases, OptionsGolden, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.filename().string(); });

// "addprefix.prefix" of every input, in lower case, names of headers and the like left out.
void walk(const schema::Node& node, const std::string& path, std::set<std::string>& out) {
  out.insert(path);
  for (const auto& entry : node.entries())
    walk(entry.value, node.is_list() ? path : path + "." + schema::lower(entry.key), out);
}

TEST(OptionsGoldenPairs, NameEveryOptionOfEveryMiddleware) {
  std::set<std::string> named;
  for (const fs::path& directory : cases())
    for (const auto& [name, middleware] : middlewares_of(directory).entries())
      for (const auto& [key, options] : middleware.entries()) walk(options, schema::lower(key), named);

  for (const Type& type : types()) {
    if (std::string_view(type.name) == "plugin") continue;  // all its names are free
    for (const std::string& spelling : schema::spellings(type.options_type(), true, true)) {
      std::string option = schema::lower(std::string(type.name) + "." + spelling);
      if (const std::size_t free_name = option.find(".<name>"); free_name != std::string::npos)
        option.resize(free_name);
      EXPECT_TRUE(std::ranges::any_of(
          named, [&](const std::string& key) { return key == option || key.starts_with(option + "."); }))
          << option << " is in no golden pair";
    }
  }
}

}  // namespace
}  // namespace fairlead::middleware
