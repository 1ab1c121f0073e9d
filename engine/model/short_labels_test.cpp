#include "engine/model/short_labels.h"

#include "engine/model/attach.h"
#include "engine/model/read.h"
#include "engine/model/static.h"
#include "engine/schema/labels.h"

#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

constexpr std::string_view kHttp[] = {"basicAuth", "redirectScheme", "compress"};

Dynamic read(const schema::Labels& labels, const ShortLabelDefaults& defaults = {"le", ""}) {
  schema::Problems problems;
  const schema::Origin origin{.source = "container shop-1"};
  schema::Node node = schema::read_labels(labels, origin.source, problems);
  expand_short_labels(node, "shop", defaults, problems);
  Dynamic out = read_dynamic(node, origin, {kHttp, {}});
  for (const schema::Problem& problem : problems) attach(out, problem, origin);
  return out;
}

TEST(ShortLabels, MakeAWholeSiteFromAHost) {
  const Dynamic d = read({{"fairlead.host", "a.example.com, b.example.com"}, {"fairlead.port", "8080"}});

  EXPECT_EQ(d.http.routers.at("shop").options.rule, "(Host(`a.example.com`) || Host(`b.example.com`))");
  EXPECT_EQ(d.http.routers.at("shop").options.tls->cert_resolver, "le");
  EXPECT_EQ(d.http.routers.at("shop-http").options.middlewares, (std::vector<std::string>{"shop-to-https"}));
  EXPECT_EQ(d.http.services.at("shop").options.load_balancer->servers.at(0).port, "8080");
  EXPECT_EQ(d.http.middlewares.at("shop-to-https").options.type, "redirectScheme");
  EXPECT_TRUE(d.reasons.empty());
}

TEST(ShortLabels, ServePlainHttpWhereThereIsNoResolver) {
  const Dynamic d = read({{"fairlead.host", "a.example.com"}}, {});

  EXPECT_EQ(d.http.routers.size(), 1u);
  EXPECT_FALSE(d.http.routers.at("shop").options.tls);
}

TEST(ShortLabels, LetLongLabelsWin) {
  const Dynamic d =
      read({{"fairlead.host", "a.example.com"}, {"traefik.http.routers.shop.rule", "Host(`c`)"}});

  EXPECT_EQ(d.http.routers.at("shop").options.rule, "Host(`c`)");
}

TEST(ShortLabels, GiveTheHostToTheOnlyRouterWithoutARule) {
  const Dynamic d =
      read({{"fairlead.host", "a.example.com"}, {"traefik.http.routers.app.middlewares", "zip"}});

  EXPECT_EQ(d.http.routers.size(), 2u) << "and the redirection to HTTPS";
  EXPECT_EQ(d.http.routers.at("app").options.rule, "Host(`a.example.com`)");
  EXPECT_EQ(d.http.routers.at("app").options.middlewares, (std::vector<std::string>{"zip"}));
  EXPECT_EQ(d.http.routers.at("app").options.tls->cert_resolver, "le");
  EXPECT_EQ(d.http.routers.at("shop-http").options.rule, "Host(`a.example.com`)");
  const Dynamic other = read({{"fairlead.host", "a"}, {"traefik.http.routers.app.rule", "Host(`b`)"}});
  EXPECT_EQ(other.http.routers.at("shop").options.rule, "Host(`a`)") << "a site of its own";
  EXPECT_EQ(other.http.routers.at("app").options.rule, "Host(`b`)");
}

TEST(ShortLabels, GuardEveryRouterOfTheContainer) {
  const Dynamic d = read({{"fairlead.auth", "ann:$apr1$x$y"},
                          {"traefik.http.routers.a.rule", "Host(`a`)"},
                          {"traefik.http.routers.b.middlewares", "zip"}});

  EXPECT_EQ(d.http.routers.at("a").options.middlewares, (std::vector<std::string>{"shop-auth"}));
  EXPECT_EQ(d.http.routers.at("b").options.middlewares, (std::vector<std::string>{"shop-auth", "zip"}));
  EXPECT_FALSE(d.http.routers.contains("shop"));
}

TEST(ShortLabels, GuardARouterThatIsOnlyNamedLikeTheRedirection) {
  const schema::Labels labels{{"fairlead.auth", "ann:$apr1$x$y"},
                              {"traefik.http.routers.shop-http.rule", "Host(`a`)"}};
  EXPECT_EQ(read(labels).http.routers.at("shop-http").options.middlewares,
            (std::vector<std::string>{"shop-auth"}));

  schema::Labels redirected = labels;
  redirected["fairlead.host"] = "b.example.com";
  EXPECT_EQ(read(redirected).http.routers.at("shop-http").options.middlewares,
            (std::vector<std::string>{"shop-to-https"}));
  redirected["traefik.http.routers.shop-http.service"] = "shop";
  redirected["traefik.http.routers.shop-http.middlewares"] = "zip";
  EXPECT_EQ(read(redirected).http.routers.at("shop-http").options.middlewares,
            (std::vector<std::string>{"shop-auth", "zip"}));
}

TEST(ShortLabels, GiveThePortToTheOnlyService) {
  const Dynamic d =
      read({{"fairlead.port", "81"}, {"traefik.http.services.app.loadbalancer.sticky.cookie", "true"}});

  EXPECT_EQ(d.http.services.size(), 1u);
  EXPECT_EQ(d.http.services.at("app").options.load_balancer->servers.at(0).port, "81");
}

TEST(ShortLabels, BreakTheRouterWhenTheyCannotBeUnderstood) {
  for (const char* host : {"https://a.example.com", "a`) || Host(`b", "a.example.com:443", ""})
    EXPECT_TRUE(read({{"fairlead.host", host}}).http.routers.at("shop").broken()) << host;
  EXPECT_TRUE(read({{"fairlead.host", "a"}, {"fairlead.path", "shop"}}).http.routers.at("shop").broken());
  EXPECT_TRUE(read({{"fairlead.path", "/shop"}}).http.routers.at("shop").broken());
  EXPECT_TRUE(read({{"fairlead.host", "a"}, {"fairlead.auth", ""}}).http.routers.at("shop").broken());
}

TEST(ShortLabels, TakeTheOnlyResolverOrTheOneNamedDefault) {
  Static s;
  EXPECT_EQ(short_label_defaults(s).cert_resolver, "");
  s.certificates_resolvers["le"];
  EXPECT_EQ(short_label_defaults(s).cert_resolver, "le");
  s.certificates_resolvers["other"];
  EXPECT_EQ(short_label_defaults(s).cert_resolver, "");
  s.certificates_resolvers["default"];
  EXPECT_EQ(short_label_defaults(s).cert_resolver, "default");
}

}  // namespace
}  // namespace fairlead::model
