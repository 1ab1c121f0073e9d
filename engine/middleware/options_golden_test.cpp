#include "engine/middleware/registry.h"
#include "engine/schema/json.h"
#include "engine/schema/labels.h"
#include "engine/schema/suggest.h"
#include "tests/support/golden.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

// tests/golden/middleware_*: labels.txt in, options.json out: what the option tables make of each label, with
// the types and masked secrets that the API shows. FAIRLEAD_GOLDEN_WRITE writes the expected files.
namespace fairlead::middleware {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using test::collect_keys;
using test::expect_golden;
using test::golden;
using test::labels_of;

std::vector<fs::path> cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(golden()))
    if (entry.path().filename().string().starts_with("middleware_")) out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

schema::Node middlewares_of(const fs::path& directory) {
  schema::Problems problems;
  schema::Node root = schema::read_labels(labels_of(directory / "labels.txt"), "container shop-1", problems);
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

  expect_golden(GetParam() / "options.json", shown.dump(2) + "\n");
}

INSTANTIATE_TEST_SUITE_P(Cases, OptionsGolden, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.filename().string(); });

TEST(OptionsGoldenPairs, NameEveryOptionOfEveryMiddleware) {
  std::set<std::string> named;
  for (const fs::path& directory : cases())
    for (const auto& [name, middleware] : middlewares_of(directory).entries())
      for (const auto& [key, options] : middleware.entries())
        collect_keys(options, schema::lower(key), named);

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
