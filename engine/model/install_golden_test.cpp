#include "engine/model/api_json.h"
#include "engine/model/internal.h"
#include "engine/model/static.h"
#include "engine/schema/file.h"
#include "engine/schema/json.h"
#include "engine/schema/suggest.h"
#include "tests/support/golden.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>

// tests/golden/install_*: install.yml in; expected.json out: what the API shows of the entry points, the
// routers that they bring along, and the options that all services share. FAIRLEAD_GOLDEN_WRITE writes it.
namespace fairlead::model {
namespace {

using Json = nlohmann::ordered_json;
using test::expect_golden;
using test::golden;
using test::slurp;

schema::Node input() {
  const auto node = schema::read_text(slurp(golden() / "install_entry_points/install.yml"), "install.yml");
  EXPECT_TRUE(node) << (node ? "" : node.error().what);
  return node ? *node : schema::Node::map();
}

TEST(InstallGolden, InputBecomesWhatTheApiShows) {
  schema::Problems problems;
  const Static install = read_static(input(), problems);
  Json shown;
  for (const auto& [name, entry_point] : install.entry_points)
    shown["entryPoints"].push_back(Json::parse(api_json(name, entry_point)));
  const Dynamic own = internal_config(install);
  for (const auto& [name, router] : own.http.routers) {
    Json& item = shown["routers"][name];
    schema::write_json(router.options, item);
  }
  for (const auto& [name, middleware] : own.http.middlewares)
    shown["middlewares"][name] = Json::parse(schema::node_text(middleware.options.options));
  schema::write_json(install.servers_transport, shown["serversTransport"]);
  schema::write_json(install.core, shown["core"]);
  for (const schema::Problem& problem : problems) shown["problems"].push_back(problem.text());

  expect_golden(golden() / "install_entry_points/expected.json", shown.dump(2) + "\n");
}

// Whether the input names the option, written with dots.
bool is_named(const schema::Node& root, std::string_view path) {
  const schema::Node* node = &root;
  while (node && !path.empty()) {
    const std::size_t dot = path.find('.');
    node = node->find_ignoring_case(path.substr(0, dot));
    path.remove_prefix(dot == path.npos ? path.size() : dot + 1);
  }
  return node != nullptr;
}

template <class T>
void expect_all_named(const schema::Node& root, const std::string& prefix) {
  for (const std::string& option : schema::spellings(schema::type_of<T>(), false, true))
    if (!option.starts_with("tls") && !option.starts_with("spiffe"))
      EXPECT_TRUE(is_named(root, prefix + option)) << prefix + option << " is not in the input";
}

TEST(InstallGolden, InputNamesEveryOptionOfServingHttp) {
  const schema::Node root = input();

  expect_all_named<EntryPointHttp>(root, "entryPoints.web.http.");
  expect_all_named<ForwardedHeaders>(root, "entryPoints.web.forwardedHeaders.");
  expect_all_named<EntryPointObservability>(root, "entryPoints.web.observability.");
  expect_all_named<DefaultServersTransport>(root, "serversTransport.");
  EXPECT_TRUE(is_named(root, "entryPoints.web.transport.keepAliveMaxTime"));
  EXPECT_TRUE(is_named(root, "entryPoints.web.transport.keepAliveMaxRequests"));
  EXPECT_TRUE(is_named(root, "entryPoints.web.asDefault"));
  EXPECT_TRUE(is_named(root, "core.defaultRuleSyntax"));
}

}  // namespace
}  // namespace fairlead::model
