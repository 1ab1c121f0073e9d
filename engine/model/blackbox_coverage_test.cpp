#include "engine/model/dynamic.h"
#include "engine/model/not_yet.h"
#include "engine/model/static.h"
#include "engine/schema/suggest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

// tests/blackbox/coverage.txt names for each option of routers, services and transports, and for those of
// entry points that change how HTTP is served, the test that sees it at work in a started program. Each line:
// the option, white space, file::test.
namespace fairlead::model {
namespace {

namespace fs = std::filesystem;

fs::path tests() {
  const fs::path here = "tests";
  return fs::exists(here / "golden") ? here : fs::path(__FILE__).parent_path() / "../../tests";
}

std::string slurp(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

std::map<std::string, std::string> listed() {
  std::map<std::string, std::string> out;
  std::istringstream lines(slurp(tests() / "blackbox/coverage.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string option;
    std::string test;
    words >> option >> test;
    EXPECT_TRUE(out.emplace(option, test).second) << option << " is listed twice";
  }
  return out;
}

bool is_not_yet(const std::string& option) {
  return std::ranges::any_of(not_yet(), [&](const NotYet& one) {
    return option == one.path || option.starts_with(fmt::format("{}.", one.path));
  });
}

// Those that hold a value of their own, or are a switch by being there.
template <class T>
void add(std::vector<std::string>& out, const std::string& prefix, bool as_label = false) {
  const std::vector<std::string> all = schema::spellings(schema::type_of<T>(), as_label, true);
  for (const std::string& option : all) {
    const bool holds_others = std::ranges::any_of(all, [&](const std::string& other) {
      return other.size() > option.size() && other.starts_with(option) &&
             (other[option.size()] == '.' || other[option.size()] == '[');
    });
    if (!holds_others && !is_not_yet(prefix + option)) out.push_back(prefix + option);
  }
}

std::vector<std::string> options() {
  std::vector<std::string> out = {"entryPoints.*.asDefault", "entryPoints.*.transport.keepAliveMaxTime",
                                  "entryPoints.*.transport.keepAliveMaxRequests", "core.defaultRuleSyntax"};
  add<HttpRouter>(out, "http.routers.*.");
  add<HttpService>(out, "http.services.*.", true);
  add<ServersTransport>(out, "http.serversTransports.*.");
  add<EntryPointHttp>(out, "entryPoints.*.http.");
  add<ForwardedHeaders>(out, "entryPoints.*.forwardedHeaders.");
  add<EntryPointObservability>(out, "entryPoints.*.observability.");
  add<DefaultServersTransport>(out, "serversTransport.");
  return out;
}

TEST(BlackboxCoverage, EveryOptionIsSeenAtWork) {
  const auto tested = listed();

  for (const std::string& option : options())
    EXPECT_TRUE(tested.contains(option)) << option << " is in no line of tests/blackbox/coverage.txt";
}

TEST(BlackboxCoverage, ListsNothingButOptions) {
  const std::vector<std::string> known = options();

  for (const auto& [option, test] : listed())
    EXPECT_TRUE(std::ranges::find(known, option) != known.end()) << option << " is no such option";
}

TEST(BlackboxCoverage, NamesTestsThatExist) {
  for (const auto& [option, test] : listed()) {
    const std::size_t colons = test.find("::");
    ASSERT_NE(colons, std::string::npos) << option;
    const std::string text = slurp(tests() / test.substr(0, colons));
    EXPECT_NE(text.find(fmt::format("def {}(", test.substr(colons + 2))), std::string::npos)
        << option << ": there is no test " << test;
  }
}

}  // namespace
}  // namespace fairlead::model
