#include "engine/schema/reference.h"

#include "engine/schema/sample_test.h"

#include <gtest/gtest.h>

namespace fairlead::schema {
namespace {

TEST(Reference, PrintsOneRowPerOption) {
  EXPECT_EQ(reference_markdown(type_of<sample::LoadBalancer>()),
            "| Option | Type | Default | Meaning |\n|---|---|---|---|\n"
            "| `servers[n].url` | text |  | Address. |\n"
            "| `servers[n].port` | text |  | Port of the container. |\n"
            "| `servers[n].weight` | integer |  | Share. |\n"
            "| `strategy` | text | `wrr` | How servers are chosen. One of wrr, p2c, hrw. |\n"
            "| `passHostHeader` | boolean | `true` | Keep the client's Host. |\n"
            "| `flushInterval` | duration | `100ms` | Between flushes. |\n"
            "| `sticky` | section |  | Affinity. May stand alone. |\n"
            "| `sticky.cookie` | section |  | By cookie. May stand alone. |\n"
            "| `sticky.cookie.name` | text |  | Name of the cookie. |\n"
            "| `sticky.cookie.secure` | boolean | `false` | HTTPS only. |\n"
            "| `sticky.cookie.maxAge` | integer | `0` | Lifetime in seconds. |\n"
            "| `codes` | list of integer |  | Expected statuses. |\n");
}

TEST(Reference, FreeNamesReadAsName) {
  std::string paths;
  each_option(type_of<sample::Root>(),
              [&paths](const DocumentedOption& option) { paths += option.path + '\n'; });

  EXPECT_NE(paths.find("http.routers.<name>.rule\n"), std::string::npos);
  EXPECT_NE(paths.find("http.middlewares.<name>\n"), std::string::npos);
  EXPECT_NE(paths.find("entryPoints.<name>.address\n"), std::string::npos);
  EXPECT_EQ(paths.find("kubernetes"), std::string::npos) << "out of scope";
}

TEST(Help, SaysFlagTypeDefaultAndMeaning) {
  const std::string help = help_text(type_of<sample::Docker>());

  EXPECT_EQ(help.substr(0, help.find("  --exposed")),
            "  --endpoint  text (default unix:///var/run/docker.sock)\n        Where the engine listens.\n");
}

}  // namespace
}  // namespace fairlead::schema
