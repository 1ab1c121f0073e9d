#include "tests/support/golden.h"

#include "engine/model/api_json.h"
#include "engine/model/attach.h"
#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/read.h"
#include "engine/model/short_labels.h"
#include "engine/model/static.h"
#include "engine/model/validate.h"
#include "engine/schema/file.h"
#include "engine/schema/json.h"
#include "engine/schema/labels.h"
#include "engine/schema/suggest.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

// Pairs in tests/golden: labels.txt or config.yml in, expected.json out. With FAIRLEAD_GOLDEN_WRITE set, the
// expected files are written instead of compared; read the difference before committing it.
namespace fairlead::model {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using test::collect_keys;
using test::expect_golden;
using test::golden;
using test::labels_of;
using test::slurp;

constexpr std::string_view kHttpTypes[] = {
    "addPrefix",         "basicAuth",        "buffering",        "chain",
    "circuitBreaker",    "compress",         "contentType",      "digestAuth",
    "encodedCharacters", "errors",           "forwardAuth",      "grpcWeb",
    "headers",           "inFlightReq",      "ipAllowList",      "ipWhiteList",
    "passTLSClientCert", "plugin",           "rateLimit",        "redirectRegex",
    "redirectScheme",    "replacePath",      "replacePathRegex", "retry",
    "stripPrefix",       "stripPrefixRegex", "apiKey",           "maintenance",
    "requestId"};
constexpr std::string_view kTcpTypes[] = {"inFlightConn", "ipAllowList", "ipWhiteList"};
constexpr MiddlewareTypes kTypes{kHttpTypes, kTcpTypes};

Static install() {
  Static out;
  out.entry_points["web"].address = ":80";
  out.entry_points["websecure"].address = ":443";
  out.entry_points["db"].address = ":5432";
  out.entry_points["dns"].address = ":53/udp";
  out.certificates_resolvers["le"].acme.emplace();
  return out;
}

// What the Docker provider does with a server: the container's address before the port.
void give_addresses(Dynamic& dynamic) {
  for (auto& [name, element] : dynamic.http.services)
    if (element.options.load_balancer)
      for (Server& server : element.options.load_balancer->servers) {
        if (!server.url.empty()) continue;
        server.url = (server.scheme.empty() ? "http" : server.scheme) + "://10.0.0.2:" + server.port;
        server.scheme.clear();
        server.port.clear();
      }
  const auto addresses = [](auto& services) {
    for (auto& [name, element] : services)
      if (element.options.load_balancer)
        for (auto& server : element.options.load_balancer->servers) {
          if (!server.address.empty()) continue;
          server.address = "10.0.0.2:" + server.port;
          server.port.clear();
        }
  };
  addresses(dynamic.tcp.services);
  addresses(dynamic.udp.services);
}

Dynamic read_case(const fs::path& directory, std::string& provider) {
  if (fs::exists(directory / "config.yml")) {
    provider = "file";
    const auto node = schema::read_text(slurp(directory / "config.yml"), "config.yml");
    EXPECT_TRUE(node) << node.error().what;
    return node ? read_dynamic(*node, {.source = "config.yml"}, kTypes) : Dynamic{};
  }
  provider = "docker";
  const schema::Origin origin{.source = "container shop-1"};
  schema::Problems problems;
  schema::Node node = schema::read_labels(labels_of(directory / "labels.txt"), origin.source, problems);
  expand_short_labels(node, "shop", short_label_defaults(install()), problems);
  Dynamic out = read_dynamic(node, origin, kTypes);
  for (const schema::Problem& problem : problems) attach(out, problem, origin);
  give_addresses(out);
  return out;
}

template <class T>
Json plain(const std::map<std::string, Element<T>>& elements) {
  Json out = Json::object();
  for (const auto& [name, element] : elements) {
    Json& item = out[name];
    schema::write_json(element.options, item);
    item["status"] = status(element);
    for (const Reason& reason : element.reasons) item["error"].push_back(reason.text);
  }
  return out;
}

void put(Json& out, const char* key, Json value) {
  if (!value.empty()) out[key] = std::move(value);
}

std::string show(const Dynamic& dynamic, const Static& install) {
  const Usage usage = usage_of(dynamic, install);
  ApiContext context{
      .usage = usage,
      .middleware_options = [](const Middleware& m, Layer) { return schema::node_text(m.options); },
      .server_up = nullptr};
  Json out = Json::parse(rawdata_json(dynamic, context));
  put(out, "serversTransports", plain(dynamic.http.servers_transports));
  put(out, "tcpServersTransports", plain(dynamic.tcp.servers_transports));
  put(out, "tlsOptions", plain(dynamic.tls.options));
  put(out, "tlsStores", plain(dynamic.tls.stores));
  for (const Element<TlsCertificate>& certificate : dynamic.tls.certificates) {
    Json& item = out["tlsCertificates"].emplace_back();
    schema::write_json(certificate.options, item);
    item["status"] = status(certificate);
  }
  for (const Reason& reason : dynamic.reasons) out["reasons"].push_back(reason.text + "; " + reason.hint);
  for (auto& [section, elements] : out.items()) {  // the program's own are the same in every case
    std::vector<std::string> own;
    if (!elements.is_object()) continue;
    for (const auto& [name, element] : elements.items())
      if (name.ends_with("@internal")) own.push_back(name);
    for (const std::string& name : own) elements.erase(name);
  }
  return out.dump(2) + "\n";
}

std::vector<fs::path> cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(golden()))
    if (entry.is_directory() && !fs::exists(entry.path() / "install.yml")) out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, InputBecomesTheExpectedConfiguration) {
  std::string provider;
  auto read = std::make_shared<const Dynamic>(read_case(GetParam(), provider));
  const Static s = install();
  const ProviderConfig providers[] = {{"internal", std::make_shared<const Dynamic>(internal_config(s))},
                                      {provider, read}};

  Dynamic merged = merge(providers);
  validate(merged, s);
  const std::string shown = show(merged, s);

  expect_golden(GetParam() / "expected.json", shown);
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.filename().string(); });

// Every key that an input names, free names as `*`.
std::set<std::string> named_keys() {
  std::set<std::string> out;
  for (const fs::path& directory : cases()) {
    schema::Problems ignored;
    if (fs::exists(directory / "config.yml")) {
      if (const auto node = schema::read_text(slurp(directory / "config.yml"), "config.yml"))
        collect_keys(*node, "", out);
    } else {
      collect_keys(schema::read_labels(labels_of(directory / "labels.txt"), "", ignored), "", out);
    }
  }
  return out;
}

// ".http.routers.web.rule" fits "http.routers.*.rule"; `server` stands for `servers`.
bool is_named(const std::set<std::string>& keys, const std::string& section, const std::string& option) {
  return std::ranges::any_of(keys, [&](const std::string& key) {
    if (!key.starts_with("." + section + ".")) return false;
    const std::size_t name_end = key.find('.', section.size() + 2);
    if (name_end == std::string::npos) return false;
    std::string rest = key.substr(name_end + 1);
    if (rest == "loadbalancer.servers" || rest.starts_with("loadbalancer.servers.")) rest.erase(19, 1);
    return rest == option || rest.starts_with(option + ".");
  });
}

std::string without_indices(const std::string& option) {  // domains[n].main
  std::string out;
  bool in_index = false;
  for (const char c : option) {
    in_index = in_index || c == '[';
    if (!in_index) out += c;
    in_index = in_index && c != ']';
  }
  return out;
}

template <class T>
void expect_all_named(const std::set<std::string>& keys, const std::string& section) {
  for (const std::string& spelling : schema::spellings(schema::type_of<T>(), true, true)) {
    std::string option = schema::lower(spelling);
    if (const std::size_t free_name = option.find(".<name>"); free_name != std::string::npos)
      option.resize(free_name);
    option = without_indices(option);
    EXPECT_TRUE(is_named(keys, section, option)) << section << ".*." << option << " is in no golden pair";
  }
}

TEST(GoldenPairs, NameEveryOptionOfTheDynamicConfiguration) {
  const std::set<std::string> keys = named_keys();

  expect_all_named<HttpRouter>(keys, "http.routers");
  expect_all_named<HttpService>(keys, "http.services");
  expect_all_named<ServersTransport>(keys, "http.serverstransports");
  expect_all_named<TcpRouter>(keys, "tcp.routers");
  expect_all_named<TcpService>(keys, "tcp.services");
  expect_all_named<TcpServersTransport>(keys, "tcp.serverstransports");
  expect_all_named<UdpRouter>(keys, "udp.routers");
  expect_all_named<UdpService>(keys, "udp.services");
  expect_all_named<TlsOptions>(keys, "tls.options");
  expect_all_named<TlsStore>(keys, "tls.stores");
}

TEST(GoldenPairs, NameEveryMiddlewareType) {
  const std::set<std::string> keys = named_keys();

  for (const std::string_view type : kHttpTypes)
    EXPECT_TRUE(is_named(keys, "http.middlewares", schema::lower(type))) << type;
  for (const std::string_view type : kTcpTypes)
    EXPECT_TRUE(is_named(keys, "tcp.middlewares", schema::lower(type))) << type;
}

}  // namespace
}  // namespace fairlead::model
