#include "engine/model/checks.h"
#include "engine/model/hash.h"
#include "engine/model/internal.h"
#include "engine/model/not_yet.h"
#include "engine/model/rule_scan.h"
#include "engine/model/static.h"
#include "engine/schema/read.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace fairlead::model {
namespace {

TEST(HashOptions, DiffersWithEachValueAndRepeatsItself) {
  LoadBalancer a;
  LoadBalancer b;
  EXPECT_EQ(hash_of(a), hash_of(b));

  b.servers.push_back({.url = "http://10.0.0.1", .scheme = "", .port = "", .weight = std::nullopt});
  EXPECT_NE(hash_of(a), hash_of(b));

  a.servers = b.servers;
  a.servers[0].weight = 1;  // set to the default is not the same as not set
  EXPECT_NE(hash_of(a), hash_of(b));
}

TEST(HashOptions, TellsNeighbouringTextsApart) {
  Domain a{.main = "ab", .sans = {"c"}};
  Domain b{.main = "a", .sans = {"bc"}};

  EXPECT_NE(hash_of(a), hash_of(b));
}

TEST(MatcherArguments, FindsTheNamesOfARule) {
  using Names = std::vector<std::string>;

  EXPECT_EQ(matcher_arguments("HostSNI(`a`) || HOSTSNI(\"b\")", "HostSNI"), (Names{"a", "b"}));
  EXPECT_EQ(matcher_arguments("HostSNIRegexp(`x`)", "HostSNI"), Names{});
  EXPECT_EQ(matcher_arguments("PathPrefix(`/Host(`) && Host(`a`)", "Host"), (Names{"a"}));
  EXPECT_EQ(matcher_arguments("Host(`unclosed", "Host"), (Names{"unclose"}));
  EXPECT_EQ(matcher_arguments("Host(\"\\", "Host"), (Names{""}));
}

TEST(Checks, KnowAddressesAndNetworks) {
  for (const char* good : {"10.0.0.1", "10.0.0.0/8", "::1", "fe80::/10"})
    EXPECT_FALSE(ip_or_cidr(good)) << good;
  for (const char* bad : {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "a/8", "::/129"})
    EXPECT_TRUE(ip_or_cidr(bad)) << bad;
}

TEST(Checks, KnowStatusCodesAndRanges) {
  for (const char* good : {"200", "500-599", "0-599", "500-999", "300-301-303"})
    EXPECT_FALSE(status_or_range(good)) << good;
  for (const char* bad : {"", "500-", "-500", "5xx"}) EXPECT_TRUE(status_or_range(bad)) << bad;
}

TEST(InternalConfig, ListsTheRoutersThatTheInstallationAsksFor) {
  Static s;
  s.entry_points["web"].address = ":80";
  s.entry_points["web"].http.redirections = Redirections{EntryPointRedirect{.to = "websecure"}};
  s.entry_points["websecure"].address = ":8443";
  s.entry_points["traefik"].address = ":8080";
  s.ping.emplace();
  s.api.emplace().insecure = true;
  s.api->base_path = "/fair";
  s.certificates_resolvers["le"].acme.emplace().http_challenge = HttpChallenge{.entry_point = "web"};

  const Dynamic d = internal_config(s);

  EXPECT_EQ(d.http.routers.at("ping").options.rule, "PathPrefix(`/ping`)");
  EXPECT_EQ(d.http.routers.at("api").options.rule, "PathPrefix(`/fair/api`)");
  EXPECT_EQ(d.http.routers.at("dashboard").options.priority, std::numeric_limits<std::int64_t>::max() - 2);
  EXPECT_EQ(d.http.routers.at("acme-http").options.entry_points, (std::vector<std::string>{"web"}));
  const HttpRouter& redirect = d.http.routers.at("web-to-websecure").options;
  EXPECT_EQ(redirect.service, "noop");
  EXPECT_EQ(redirect.priority, std::numeric_limits<std::int64_t>::max() - 1);
  const Middleware& scheme = d.http.middlewares.at(redirect.middlewares.at(0)).options;
  EXPECT_EQ(scheme.type, "redirectScheme");
  EXPECT_EQ(scheme.options.find("port")->text(), "8443");
}

TEST(NotYet, NamesOptionsThatExist) {
  // A path that no table knows would silently mark nothing.
  for (const NotYet& option : not_yet()) {
    const std::string path(option.path);
    const std::size_t star = path.find(".*.");
    const std::string below = star == std::string::npos ? path : path.substr(star + 3);
    const schema::TypeInfo* type = &schema::type_of<Static>();
    if (path.starts_with("http.routers")) type = &schema::type_of<HttpRouter>();
    if (path.starts_with("http.services")) type = &schema::type_of<HttpService>();
    if (path.starts_with("http.serversTransports")) type = &schema::type_of<ServersTransport>();
    if (path.starts_with("tcp.serversTransports")) type = &schema::type_of<TcpServersTransport>();
    if (path.starts_with("entryPoints")) type = &schema::type_of<EntryPoint>();
    if (path.starts_with("tls.stores")) type = &schema::type_of<TlsStore>();
    if (path.starts_with("http.middlewares") || path.ends_with(".*")) continue;
    const std::string first = below.substr(0, below.find('.'));
    const bool known =
        std::ranges::any_of(type->rows(), [&](const schema::Option& row) { return first == row.name; });
    EXPECT_TRUE(known) << path;
  }
}

}  // namespace
}  // namespace fairlead::model
