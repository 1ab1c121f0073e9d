#include "engine/schema/flags.h"

#include "engine/schema/json.h"
#include "engine/schema/read.h"
#include "engine/schema/sample_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::schema {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Flags {
  CommandLine line;
  std::string tree;
  Problems problems;
};

Flags flags(const std::vector<std::string>& arguments) {
  Flags out;
  out.line = read_flags(arguments, type_of<sample::Root>(), out.problems);
  out.tree = node_text(out.line.options);
  return out;
}

TEST(Flags, TakeTheirValueAfterEqualsOrAsTheNextWord) {
  const Flags got =
      flags({"--entryPoints.web.address=:80", "-ENTRYPOINTS.websecure.address", ":443", "--log.level=a=b"});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(
      got.tree,
      R"({"entryPoints":{"web":{"address":":80"},"websecure":{"address":":443"}},"log":{"level":"a=b"}})");
}

TEST(Flags, BooleansAndStructsThatStandAloneMeanTrue) {
  const Flags got =
      flags({"--docker", "--docker.exposedByDefault", "--entrypoints.web.tls", "serve", "--log.level=x"});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.tree, R"({"docker":{"exposedByDefault":"true"},"entrypoints":{"web":{"tls":"true"}}})");
  EXPECT_EQ(got.line.options.find("docker")->text(), "true");
  EXPECT_THAT(got.line.words, ElementsAre("serve", "--log.level=x"));
}

TEST(Flags, AListThatIsEmptySaysNothingOfIt) {
  const Flags got = flags({"--http.routers.w.entryPoints=", "--http.routers.v.entryPoints=",
                           "--http.routers.v.entryPoints=a", "--http.routers.v.entryPoints", ""});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.tree, R"({"http":{"routers":{"w":{},"v":{"entryPoints":["a"]}}}})");
}

TEST(Flags, RepeatedListsAppendAndOthersReplace) {
  const Flags got = flags({"--http.routers.w.entrypoints=a,b", "--http.routers.w.entryPoints", "c",
                           "--log.level=INFO", "--log.level=WARN"});

  sample::Root root;
  Problems problems;
  read(got.line.options, root, problems);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(root.http.routers.at("w").entry_points, ElementsAre("a", "b", "c"));
  EXPECT_EQ(root.log.level, "WARN");
}

TEST(Flags, ListsOfStructsAreIndexed) {
  const Flags got =
      flags({"--entryPoints.web.tls.domains[0].main=a", "--entryPoints.web.tls.domains[0].sans=b,c",
             "--entrypoints.Web.tls.domains[1].main=d"});

  EXPECT_EQ(got.tree,
            R"({"entryPoints":{"web":{"tls":{"domains":[{"main":"a","sans":["b,c"]},{"main":"d"}]}}}})");
}

TEST(Flags, UnknownOnesNameTheNearestSpelling) {
  const Flags got = flags(
      {"--entryPoints.web.adress=:80", "--lgo.level", "DEBUG", "--exposedByDefault", "--log.level=WARN"});

  EXPECT_EQ(got.tree, R"({"log":{"level":"WARN"}})");
  ASSERT_EQ(got.problems.size(), 3u);
  EXPECT_EQ(
      got.problems[0].text(),
      "--entryPoints.web.adress (command line): unknown flag; did you mean `--entryPoints.web.address`?");
  EXPECT_EQ(got.problems[1].suggestion, "--log.level");
  EXPECT_EQ(got.problems[2].suggestion, "--docker.exposedByDefault");
}

TEST(Flags, AMissingValueIsAProblem) {
  const Flags got = flags({"--log.level"});

  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].what, "needs a value");
}

TEST(Flags, HelpAndTheEndOfFlags) {
  EXPECT_TRUE(flags({"--help"}).line.wants_help);
  EXPECT_TRUE(flags({"-h"}).line.wants_help);
  EXPECT_THAT(flags({"--", "--docker"}).line.words, ElementsAre("--docker"));
  EXPECT_THAT(flags({"-"}).line.words, ElementsAre("-"));
}

TEST(Flags, FreeFormTakesAnyName) {
  const Flags got = flags({"--plugin.demo.moduleName=x", "--kubernetes.ingress.any", "--plugin.b.c", "v"});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(
      got.tree,
      R"({"plugin":{"demo":{"moduleName":"x"},"b":{"c":"v"}},"kubernetes":{"ingress":{"any":"true"}}})");
}

}  // namespace
}  // namespace fairlead::schema
