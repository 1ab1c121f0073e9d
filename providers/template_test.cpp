#include "providers/template.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace fairlead::providers {
namespace {

Template::Fields container() {
  return {{"Name", {std::string("web-shop")}},
          {"ContainerName", {std::string("shop_web_1")}},
          {"Labels", {TemplateMap{{"host", "a.example.com"}, {"com.example.name", "x.y"}, {"empty", ""}}}}};
}

// The rendered text, or "! " and the error.
std::string render(std::string_view text) {
  const auto made = Template::parse(text);
  if (!made) return "! " + made.error();
  const auto out = made->render(container());
  return out ? *out : "! " + out.error();
}

TEST(Template, RendersTheDefaultRule) {
  EXPECT_EQ(render("Host(`{{ normalize .Name }}`)"), "Host(`web-shop`)");
  EXPECT_EQ(render("Host(`{{ normalize .ContainerName }}.example.com`)"), "Host(`shop-web-1.example.com`)");
}

TEST(Template, ReadsLabelsByIndexAndByField) {
  EXPECT_EQ(render("{{ index .Labels \"com.example.name\" }}"), "x.y");
  EXPECT_EQ(render("{{ .Labels.host }}"), "a.example.com");
  EXPECT_EQ(render("[{{ index .Labels \"absent\" }}]"), "[]");
  EXPECT_EQ(render("{{ .Labels.absent }}"), "<no value>");
  EXPECT_EQ(render("{{ .Labels.com.example.name }} {{ .Labels.com.example.name | default .Name }}"),
            "<no value> web-shop")
      << "a label with dots is none of these fields";
}

TEST(Template, ChainsFunctionsByPipes) {
  EXPECT_EQ(render("{{ .Name | trimPrefix \"web-\" | upper }}"), "SHOP");
  EXPECT_EQ(render("{{ .Name | replace \"-\" \".\" | trimSuffix \".shop\" }}"), "web");
  EXPECT_EQ(render("{{ index .Labels \"empty\" | default \"fallback\" }}"), "fallback");
  EXPECT_EQ(render("{{ .Name | default \"fallback\" | lower }}"), "web-shop");
}

TEST(Template, SplitsIntoPartsAsSprigDoes) {
  EXPECT_EQ(render("{{ (split \".\" .Labels.host)._1 }}"), "example");
  EXPECT_EQ(render("{{ index (split \".\" .Labels.host) 0 }}"), "a");
  EXPECT_EQ(render("{{ index (split \".\" .Labels.host) 9 }}"), "! index: 9 is out of range of 3 parts");
}

TEST(Template, PrintsFormatted) {
  EXPECT_EQ(render("{{ printf \"%s-%03d%%\" .Name 7 }}"), "web-shop-007%");
  EXPECT_EQ(render("{{ printf \"%-4s|%4s|%v\" \"a\" \"b\" true }}"), "a   |   b|true");
  EXPECT_EQ(render("{{ printf \"%s\" }}"), "! printf: more verbs than arguments");
  EXPECT_EQ(render("{{ printf \"%999d\" 1 }}"), "! printf: \"%999d\" is not supported");
}

TEST(Template, ReplacesByRegularExpressionWithGoReferences) {
  EXPECT_EQ(render("{{ regexReplaceAll \"(\\\\w+)-(\\\\w+)\" .Name \"${2}.$1\" }}"), "shop.web");
  EXPECT_EQ(render("{{ regexReplaceAll `x*` \"abc\" \"-\" }}"), "-a-b-c-");
  EXPECT_EQ(render("{{ regexReplaceAll `a*` \"baac\" \"x\" }}"), "xbxcx") << "as in Go";
  EXPECT_EQ(render("{{ regexReplaceAll `x*` \"äö\" \"-\" }}"), "-ä-ö-");
  EXPECT_TRUE(render("{{ regexReplaceAll `(` .Name `` }}").starts_with("! regexReplaceAll: "));
}

TEST(Template, ChoosesByConditions) {
  EXPECT_EQ(render("{{ if .Labels.host }}yes{{ else }}no{{ end }}"), "yes");
  EXPECT_EQ(render("{{ if .Labels.empty }}a{{ else if .Labels.absent }}b{{ else }}c{{ end }}d"), "cd");
  EXPECT_EQ(render("{{ if .Labels.host }}{{ if .Labels.empty }}x{{ end }}y{{ end }}"), "y");
}

TEST(Template, ComparesAndCombines) {
  EXPECT_EQ(render("{{ if and (eq .Name `x` .Name) (ne .Name `y`) (not .Labels.absent) }}yes{{ end }}"),
            "yes");
  EXPECT_EQ(render("{{ or .Labels.empty .Labels.host `z` }}{{ and .Name `` `z` }}"),
            render("{{ .Labels.host }}"));
  EXPECT_EQ(render("{{ coalesce .Labels.absent .Labels.empty .Name }}"), "web-shop");
  EXPECT_EQ(
      render("{{ if hasPrefix `web` .Name }}{{ hasSuffix `web` .Name }}{{ contains `b-s` .Name }}{{ end }}"),
      "falsetrue");
  EXPECT_EQ(render("{{ eq .Name 1 }}"), "! eq: web-shop and 1 are of different types");
  EXPECT_EQ(render("{{ eq .Labels.absent `x` }} {{ ne `x` .Labels.absent }} {{ eq .Labels.absent `x` (index "
                   ".Labels `absent`) }}"),
            "false true false")
      << "an absent label is no mistake";
}

TEST(Template, TakesListsApartAndJoinsThem) {
  EXPECT_EQ(render("{{ splitList `-` .Name | join `.` }} {{ splitList `-` .Name | first }} {{ last "
                   "(splitList `-` .Name) }}"),
            "web.shop web shop");
  EXPECT_EQ(render("{{ index (split `-` .Name) `_1` }}{{ index (splitList `-` .Name) 0 }}"), "shopweb");
  EXPECT_EQ(render("{{ trim ` \ta \n` }}"), "a");
}

TEST(Template, TrimsWhiteSpaceAndSkipsComments) {
  EXPECT_EQ(render("a \n {{- /* why }} */ -}} \n b"), "ab");
  EXPECT_EQ(render("a {{- .Name -}} b"), "aweb-shopb");
  EXPECT_EQ(render("{{ \"{{ }}\" }}"), "{{ }}");
}

TEST(Template, ReadsTheEnvironmentOfItsProcess) {
  ::setenv("FL_TEMPLATE_DOMAIN", "example.com", 1);

  EXPECT_EQ(render("Host(`app.{{env \"FL_TEMPLATE_DOMAIN\"}}`)"), "Host(`app.example.com`)");
  EXPECT_EQ(render("[{{ env `FL_TEMPLATE_ABSENT` }}]"), "[]") << "an unset variable is empty, as in sprig";
  EXPECT_EQ(render("{{ env `FL_TEMPLATE_ABSENT` | default `none` }}"), "none");

  ::unsetenv("FL_TEMPLATE_DOMAIN");
}

TEST(Template, NamesWhatItDoesNotSupport) {
  EXPECT_TRUE(
      render("a\nb {{ now \"HOME\" }}").starts_with("! line 2: \"now\" is not supported in templates"));
  EXPECT_TRUE(render("{{ range .Labels }}{{ end }}").starts_with("! line 1: \"range\" is not supported"));
  EXPECT_EQ(render("{{ $x := .Name }}"),
            "! line 1: variables, as in `$name := …`, are not supported in templates");
  EXPECT_EQ(render("{{ .Nope }}"), "! there is no field .Nope here");
  EXPECT_EQ(render("{{ .Name.x }}"), "! web-shop has no field .x");
  EXPECT_EQ(render("{{ .Name"), "! line 1: \"{{\" without \"}}\"");
  EXPECT_EQ(render("{{ if .Name }}"), "! line 1: \"if\" without \"end\"");
  EXPECT_EQ(render("{{ end }}"), "! line 1: \"end\" without an \"if\"");
  EXPECT_EQ(render("{{ }}"), "! line 1: an action needs a value");
  EXPECT_EQ(render("{{ .Name .Name }}"), "! line 1: only a function can take arguments");
  EXPECT_EQ(render("{{ lower }}"), "! lower: takes 1 arguments, got 0");
}

TEST(Template, RefusesEndlessNesting) {
  std::string blocks, groups = "{{ ";
  for (int i = 0; i < 100; ++i) blocks += "{{ if .Name }}", groups += "(";

  EXPECT_NE(render(blocks).find("nested too deeply"), std::string::npos);
  EXPECT_NE(render(groups + " }}").find("nested too deeply"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::providers
