#include "acme/dns/providers.h"

#include "acme/dns/exec.h"
#include "acme/dns/ovh.h"
#include "acme/dns/route53.h"
#include "acme/dns/test_api.h"
#include "acme/encoding.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace fairlead::acme::dns {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::ApiReply;
using test::ApiRequest;
using test::TestApi;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Variables = std::map<std::string, std::string>;

Environment environment(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Configured<MadeProvider> make(const std::string& code, Variables variables) {
  return make_provider(
      code, environment(std::move(variables)),
      [](const std::string&, std::stop_token) -> Result<std::string> { return "example.com"; }, true);
}

const Record kOne{.domain = "www.example.com",
                  .name = "_acme-challenge.www.example.com",
                  .value = "value-one",
                  .token = "-token",
                  .key_authorization = "-token.print"};
const Record kTwo{.domain = "www.example.com",
                  .name = "_acme-challenge.www.example.com",
                  .value = "value-two",
                  .token = "token2",
                  .key_authorization = "token2.print"};

// What every provider of records must do, against a server that holds `values` and somebody else's among
// them.
void keeps_values_apart(Provider& provider, const std::set<std::string>& values) {
  for (const Record* record : {&kOne, &kTwo}) {
    const auto done = provider.present(*record, {});
    ASSERT_TRUE(done) << done.error().detail;
  }
  EXPECT_THAT(values, ElementsAre("foreign", "value-one", "value-two"));
  auto done = provider.clean_up(kOne, {});
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_THAT(values, ElementsAre("foreign", "value-two"));
  done = provider.clean_up(kTwo, {});
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_THAT(values, ElementsAre("foreign"));
  done = provider.clean_up(kTwo, {});
  EXPECT_TRUE(done) << "what is gone already is no error: " << done.error().detail;
}

std::string unquoted(std::string text) {
  std::erase(text, '"');
  return text;
}

// ---- the table

TEST(DnsProviders, AnUnknownCodeIsAnsweredWithTheNearest) {
  EXPECT_THAT(make("cloudfare", {}).error().what, HasSubstr("did you mean cloudflare?"));
  EXPECT_THAT(make("linode", {}).error().what,
              AllOf(HasSubstr("route53"), HasSubstr("httpreq"), Not(HasSubstr("did you"))));
  EXPECT_THAT(make("", {}).error().what, HasSubstr("is empty"));
}

TEST(DnsProviders, EachNamesTheVariableThatIsMissing) {
  const std::pair<const char*, const char*> kMissing[] = {
      {"acme-dns", "ACME_DNS_API_BASE"},
      {"cloudflare", "CF_DNS_API_TOKEN"},
      {"desec", "DESEC_TOKEN"},
      {"digitalocean", "DO_AUTH_TOKEN"},
      {"duckdns", "DUCKDNS_TOKEN"},
      {"exec", "EXEC_PATH"},
      {"gandiv5", "GANDIV5_PERSONAL_ACCESS_TOKEN"},
      {"hetzner", "HETZNER_API_TOKEN"},
      {"httpreq", "HTTPREQ_ENDPOINT"},
      {"ovh", "OVH_CONSUMER_KEY"},
      {"rfc2136", "RFC2136_NAMESERVER"},
      {"route53", "AWS_ACCESS_KEY_ID"},
  };
  for (const auto& [code, variable] : kMissing) {
    const auto made = make(code, {{"HOME", "/nonexistent"}});
    ASSERT_FALSE(made) << code;
    EXPECT_THAT(made.error().what, AllOf(HasSubstr(code), HasSubstr(variable)));
  }
}

TEST(DnsProviders, AValueCanComeFromAFile) {
  const std::string path = ::testing::TempDir() + "/fairlead-dns-token";
  std::ofstream(path) << "secret-of-file\n";
  TestApi api([](const ApiRequest&) { return ApiReply{200, R"([{"name":"example.com"}])"}; });
  auto made = make("desec", {{"DESEC_TOKEN_FILE", path}, {"DESEC_API_URL", api.url()}});
  ASSERT_TRUE(made) << made.error().what;

  (void)made->provider->present(kOne, {});

  EXPECT_EQ(api.seen().front().header("authorization"), "Token secret-of-file");
  EXPECT_THAT(make("desec", {{"DESEC_TOKEN_FILE", "/nonexistent/token"}}).error().what,
              HasSubstr("DESEC_TOKEN_FILE"));
  std::filesystem::remove(path);
}

TEST(DnsProviders, TimesComeFromTheirVariables) {
  const auto set = make(
      "duckdns",
      {{"DUCKDNS_TOKEN", "t"}, {"DUCKDNS_PROPAGATION_TIMEOUT", "300"}, {"DUCKDNS_POLLING_INTERVAL", "7"}});
  const auto standard = make("gandiv5", {{"GANDIV5_API_KEY", "k"}, {"GANDIV5_POLLING_INTERVAL", "soon"}});

  ASSERT_TRUE(set && standard);
  EXPECT_EQ(set->timing.timeout, 300s);
  EXPECT_EQ(set->timing.interval, 7s);
  EXPECT_EQ(standard->timing.timeout, 20min);
  EXPECT_EQ(standard->timing.interval, 20s);
}

// ---- errors of the APIs

TEST(DnsProviders, ARefusedTokenIsSaidInTheServersWordsWithZoneAndVariable) {
  TestApi api([](const ApiRequest&) {
    return ApiReply{403, R"({"success":false,"errors":[{"code":9109,"message":"Invalid access token"}]})"};
  });
  auto made = make("cloudflare", {{"CF_DNS_API_TOKEN", "hidden"}, {"CLOUDFLARE_BASE_URL", api.url()}});
  ASSERT_TRUE(made) << made.error().what;

  const auto done = made->provider->present(kOne, {});

  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().detail,
              AllOf(HasSubstr("zone example.com"), HasSubstr("403"), HasSubstr("Invalid access token"),
                    HasSubstr("9109"), HasSubstr("CF_DNS_API_TOKEN"), Not(HasSubstr("hidden"))));
}

TEST(DnsProviders, TryLaterIsObeyedAndGarbageIsNoCrash) {
  int calls = 0;
  TestApi api([&](const ApiRequest&) -> ApiReply {
    return ++calls == 1 ? ApiReply{429, "{}", {{"Retry-After", "0"}}} : ApiReply{200, "[1, \"garbage"};
  });
  auto made = make("desec", {{"DESEC_TOKEN", "t"}, {"DESEC_API_URL", api.url()}});

  const auto done = made->provider->present(kOne, {});

  EXPECT_EQ(calls, 2);
  EXPECT_THAT(done.error().detail, HasSubstr("no domain of this account"));
}

TEST(DnsProviders, AServerThatIsNotThereIsAnError) {
  auto made = make("digitalocean", {{"DO_AUTH_TOKEN", "t"}, {"DO_API_URL", "http://127.0.0.1:1"}});

  EXPECT_THAT(made->provider->present(kOne, {}).error().detail, HasSubstr("zone example.com"));
}

// ---- one server each, that speaks the documented API

TEST(Cloudflare, AddsAndRemovesRecordsOfTheZone) {
  std::set<std::string> values = {"foreign"};
  std::map<std::string, std::string> ids = {{"id-foreign", "foreign"}};
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    const bool zones = request.target.starts_with("/zones?");
    if (request.header("authorization") != (zones ? "Bearer zone-token" : "Bearer dns-token"))
      return {403, "{}"};
    if (request.target == "/zones?name=example.com")
      return {200, R"({"result":[{"id":"z1","name":"example.com"}]})"};
    if (request.method == "POST" && request.target == "/zones/z1/dns_records") {
      const json body = json::parse(request.body);
      if (body["type"] != "TXT" || body["name"] != "_acme-challenge.www.example.com" || body["ttl"] != 120)
        return {400, "{}"};
      const std::string value = unquoted(body["content"]);
      ids["id-" + value] = value;
      values.insert(value);
      return {200, json{{"success", true}, {"result", {{"id", "id-" + value}}}}.dump()};
    }
    if (request.method == "GET" &&
        request.target == "/zones/z1/dns_records?type=TXT&name=_acme-challenge.www.example.com") {
      json list = json::array();
      for (const auto& [id, value] : ids) list.push_back({{"id", id}, {"content", '"' + value + '"'}});
      return {200, json{{"result", list}}.dump()};
    }
    if (request.method == "DELETE" && request.target.starts_with("/zones/z1/dns_records/")) {
      const auto id = ids.extract(request.target.substr(22));
      if (id.empty()) return {404, "{}"};
      values.erase(id.mapped());
      return {200, R"({"result":{}})"};
    }
    return {400, request.target};
  });
  const Variables variables = {{"CF_DNS_API_TOKEN", "dns-token"},
                               {"CF_ZONE_API_TOKEN", "zone-token"},
                               {"CLOUDFLARE_BASE_URL", api.url()}};

  auto made = make("cloudflare", variables);
  keeps_values_apart(*made->provider, values);
  // What an earlier process left behind is found by its value.
  ASSERT_TRUE(made->provider->present(kOne, {}));
  ASSERT_TRUE(make("cloudflare", variables)->provider->clean_up(kOne, {}));
  EXPECT_THAT(values, ElementsAre("foreign"));
}

// After a kill in mid-order the authority gives the same order again, and with it the same value.
TEST(Cloudflare, ARecordThatIsThereAlreadyIsFine) {
  TestApi api([](const ApiRequest& request) -> ApiReply {
    if (request.target.starts_with("/zones?"))
      return {200, R"({"result":[{"id":"z1","name":"example.com"}]})"};
    return {400, R"({"errors":[{"code":81058,"message":"An identical record already exists."}]})"};
  });
  auto made = make("cloudflare", {{"CF_DNS_API_TOKEN", "t"}, {"CLOUDFLARE_BASE_URL", api.url()}});

  const auto done = made->provider->present(kOne, {});

  EXPECT_TRUE(done) << done.error().detail;
}

TEST(Cloudflare, GarbageIsNoCrash) {
  TestApi api([](const ApiRequest& request) -> ApiReply {
    if (request.target.starts_with("/zones?"))
      return {200, R"({"result":[{"id":"z1","name":"example.com"}]})"};
    return {200, "<html>maintenance</html>"};
  });
  auto made = make("cloudflare", {{"CF_DNS_API_TOKEN", "t"}, {"CLOUDFLARE_BASE_URL", api.url()}});

  EXPECT_NO_THROW((void)made->provider->present(kOne, {}));
  EXPECT_NO_THROW((void)made->provider->clean_up(kOne, {}));
}

TEST(Cloudflare, TheGlobalKeyWorksToo) {
  TestApi api([](const ApiRequest&) { return ApiReply{200, R"({"result":[]})"}; });
  auto made = make("cloudflare", {{"CLOUDFLARE_EMAIL", "a@example.com"},
                                  {"CLOUDFLARE_API_KEY", "key"},
                                  {"CLOUDFLARE_BASE_URL", api.url()}});

  EXPECT_THAT(made->provider->present(kOne, {}).error().detail, HasSubstr("no such zone"));
  EXPECT_EQ(api.seen().front().header("x-auth-email"), "a@example.com");
  EXPECT_EQ(api.seen().front().header("x-auth-key"), "key");
}

TEST(DigitalOcean, AddsAndRemovesRecordsOfTheDomain) {
  std::set<std::string> values = {"foreign"};
  std::map<std::string, std::string> ids = {{"1", "foreign"}};
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    if (request.header("authorization") != "Bearer token") return {401, R"({"id":"unauthorized"})"};
    if (request.method == "POST" && request.target == "/v2/domains/example.com/records") {
      const json body = json::parse(request.body);
      if (body["type"] != "TXT" || body["name"] != "_acme-challenge.www" || body["ttl"] != 45)
        return {422, "{}"};
      const int id = static_cast<int>(ids.size()) + 1;
      ids[std::to_string(id)] = body["data"];
      values.insert(body["data"].get<std::string>());
      return {201, json{{"domain_record", {{"id", id}}}}.dump()};
    }
    if (request.method == "GET") {
      json list = json::array();
      for (const auto& [id, value] : ids) list.push_back({{"id", std::stoi(id)}, {"data", value}});
      return {200, json{{"domain_records", list}}.dump()};
    }
    const std::string prefix = "/v2/domains/example.com/records/";
    if (request.method != "DELETE" || !request.target.starts_with(prefix)) return {400, "{}"};
    const auto id = ids.extract(request.target.substr(prefix.size()));
    if (id.empty()) return {404, "{}"};
    values.erase(id.mapped());
    return {204, ""};
  });

  auto made =
      make("digitalocean", {{"DO_AUTH_TOKEN", "token"}, {"DO_API_URL", api.url() + "/"}, {"DO_TTL", "45"}});

  keeps_values_apart(*made->provider, values);
}

TEST(HetznerCloud, AddsAndRemovesRecordsByActions) {
  std::set<std::string> values = {"foreign"};
  int polls = 0;
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    if (request.header("authorization") != "Bearer token") return {401, "{}"};
    if (request.target == "/actions/7") {
      ++polls;
      return {200, R"({"action":{"id":7,"status":"success"}})"};
    }
    const std::string prefix = "/zones/example.com/rrsets/_acme-challenge.www/TXT/actions/";
    if (request.method != "POST" || !request.target.starts_with(prefix)) return {404, "{}"};
    const json body = json::parse(request.body);
    const std::string value = unquoted(body["records"][0]["value"]);
    if (body["records"][0]["value"] != '"' + value + '"') return {422, "{}"};
    if (request.target == prefix + "add_records") {
      if (body["ttl"] != 120) return {422, "{}"};
      values.insert(value);
    } else if (values.erase(value) == 0) {
      return {422, R"({"error":{"code":"invalid_input","message":"no such record"}})"};
    }
    return {201, R"({"action":{"id":7,"status":"running"}})"};
  });
  auto made = make(
      "hetzner",
      {{"HETZNER_API_TOKEN", "token"}, {"HETZNER_API_URL", api.url()}, {"HETZNER_POLLING_INTERVAL", "0"}});

  keeps_values_apart(*made->provider, values);
  EXPECT_EQ(polls, 4);
}

TEST(HetznerCloud, AFailedActionIsSaid) {
  TestApi api([](const ApiRequest&) {
    return ApiReply{
        201, R"({"action":{"id":7,"status":"error","error":{"code":"x","message":"zone is locked"}}})"};
  });
  auto made = make("hetzner", {{"HETZNER_API_TOKEN", "token"}, {"HETZNER_API_URL", api.url()}});

  EXPECT_THAT(made->provider->present(kOne, {}).error().detail, HasSubstr("zone is locked"));
}

TEST(HetznerCloud, AZoneThatIsBusyIsWaitedFor) {
  int calls = 0;
  TestApi api([&](const ApiRequest&) -> ApiReply {
    if (++calls < 3)
      return {calls == 1 ? 423 : 409,
              R"({"error":{"code":"locked","message":"zone is locked"}})",
              {{"Retry-After", "0"}}};
    return {201, R"({"action":{"id":7,"status":"success"}})"};
  });
  auto made = make("hetzner", {{"HETZNER_API_TOKEN", "token"}, {"HETZNER_API_URL", api.url()}});

  const auto done = made->provider->present(kOne, {});

  EXPECT_TRUE(done) << done.error().detail;
  EXPECT_EQ(calls, 3);
}

TEST(HetznerDns, AddsAndRemovesRecordsOfTheOlderConsole) {
  std::set<std::string> values = {"foreign"};
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    if (request.header("auth-api-token") != "key") return {401, "{}"};
    if (request.target == "/api/v1/zones?name=example.com")
      return {200, R"({"zones":[{"id":"z","name":"example.com"}]})"};
    if (request.target == "/api/v1/records?zone_id=z") {
      json list = json::array();
      for (const std::string& value : values)
        list.push_back({{"id", value}, {"type", "TXT"}, {"value", value}});
      return {200, json{{"records", list}}.dump()};
    }
    if (request.method == "POST" && request.target == "/api/v1/records") {
      const json body = json::parse(request.body);
      if (body["zone_id"] != "z" || body["name"] != "_acme-challenge.www") return {422, "{}"};
      values.insert(body["value"].get<std::string>());
      return {200, "{}"};
    }
    if (request.method != "DELETE") return {400, "{}"};
    values.erase(request.target.substr(request.target.rfind('/') + 1));
    return {200, "{}"};
  });
  auto made = make("hetzner", {{"HETZNER_API_KEY", "key"}, {"HETZNER_DNS_API_URL", api.url()}});

  keeps_values_apart(*made->provider, values);
}

// ---- OVH

TEST(Ovh, SignsAsDocumented) {
  EXPECT_EQ(
      ovh_signature("secret", "consumer", "POST", "https://eu.api.ovh.com/1.0/domain/zone/example.com/record",
                    R"({"a":1})", "1700000000"),
      "$1$52a2f625a165ec41668813f290f040d22b44d3e9");
}

// `authorized`: whether a call is signed in.
ApiReply ovh_zone(const ApiRequest& request, bool authorized, std::set<std::string>& values, int& refreshed) {
  static const std::string kRecords = "/domain/zone/example.com/record";
  if (!authorized) return {403, R"({"message":"Invalid signature"})"};
  if (request.method == "POST" && request.target == "/domain/zone/example.com/refresh") {
    ++refreshed;
    return {200, "null"};
  }
  if (request.method == "POST" && request.target == kRecords) {
    const json body = json::parse(request.body);
    if (body["fieldType"] != "TXT" || body["subDomain"] != "_acme-challenge.www") return {400, "{}"};
    const std::string value = body["target"];
    values.insert(value);
    return {200, json{{"id", value == "value-one" ? 1 : 2}}.dump()};
  }
  if (request.method == "DELETE" && request.target == kRecords + "/1")
    values.erase("value-one");
  else if (request.method == "DELETE" && request.target == kRecords + "/2")
    values.erase("value-two");
  else
    return {403, R"({"message":"This call has not been granted"})"};
  return {200, "null"};
}

TEST(Ovh, AddsRemovesAndRefreshesWithSignedCalls) {
  std::set<std::string> values = {"foreign"};
  int refreshed = 0;
  std::string base;
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    if (request.target == "/auth/time") return {200, "1500000000"};  // another clock than ours
    const std::string time = request.header("x-ovh-timestamp");
    const bool fresh = time.starts_with("15000000");
    const bool right = request.header("x-ovh-signature") ==
                       ovh_signature("as", "ck", request.method, base + request.target, request.body, time);
    return ovh_zone(request, fresh && right && request.header("x-ovh-application") == "ak", values,
                    refreshed);
  });
  base = api.url();
  auto made = make("ovh", {{"OVH_ENDPOINT", base},
                           {"OVH_APPLICATION_KEY", "ak"},
                           {"OVH_APPLICATION_SECRET", "as"},
                           {"OVH_CONSUMER_KEY", "ck"}});
  ASSERT_TRUE(made) << made.error().what;

  keeps_values_apart(*made->provider, values);
  EXPECT_EQ(refreshed, 4);
}

TEST(Ovh, ClientCredentialsGetAToken) {
  std::set<std::string> values;
  int refreshed = 0;
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    if (request.target == "/token")
      return {request.body == "grant_type=client_credentials&client_id=id&client_secret=s%26s&scope=all"
                  ? 200
                  : 401,
              R"({"access_token":"given"})"};
    return ovh_zone(request, request.header("authorization") == "Bearer given", values, refreshed);
  });
  auto made = make("ovh", {{"OVH_ENDPOINT", api.url()},
                           {"OVH_CLIENT_ID", "id"},
                           {"OVH_CLIENT_SECRET", "s&s"},
                           {"OVH_TOKEN_URL", api.url() + "/token"}});
  ASSERT_TRUE(made) << made.error().what;

  const auto done = made->provider->present(kOne, {});

  EXPECT_TRUE(done) << done.error().detail;
  EXPECT_THAT(make("ovh", {{"OVH_ENDPOINT", "ovh-mars"}, {"OVH_ACCESS_TOKEN", "t"}}).error().what,
              HasSubstr("ovh-eu"));
}

// ---- record sets that are written whole

TEST(Gandi, KeepsTheOtherValuesOfTheName) {
  std::set<std::string> values = {"foreign"};
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    if (request.header("authorization") != "Bearer pat") return {401, R"({"message":"Invalid credentials"})"};
    if (request.target != "/domains/example.com/records/_acme-challenge.www/TXT") return {400, "{}"};
    if (request.method == "GET") {
      if (values.empty()) return {404, "{}"};
      json list = json::array();
      for (const std::string& value : values) list.push_back('"' + value + '"');
      return {200, json{{"rrset_values", list}}.dump()};
    }
    if (request.method == "DELETE") {
      values.clear();
      return {204, ""};
    }
    const json body = json::parse(request.body);
    if (request.method != "PUT" || body["rrset_ttl"] != 300) return {400, "{}"};
    values.clear();
    for (const auto& value : body["rrset_values"]) values.insert(unquoted(value));
    return {201, R"({"message":"DNS Record Created"})"};
  });
  auto made = make("gandiv5", {{"GANDIV5_PERSONAL_ACCESS_TOKEN", "pat"}, {"GANDIV5_API_URL", api.url()}});

  keeps_values_apart(*made->provider, values);
  values.clear();
  ASSERT_TRUE(made->provider->present(kOne, {}));
  EXPECT_THAT(values, ElementsAre("value-one"));
  ASSERT_TRUE(made->provider->clean_up(kOne, {}));
  EXPECT_TRUE(values.empty());
}

TEST(Desec, KeepsTheOtherValuesOfTheName) {
  std::set<std::string> values = {"foreign"};
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    if (request.header("authorization") != "Token token") return {401, R"({"detail":"Invalid token."})"};
    if (request.target == "/domains/?owns_qname=_acme-challenge.www.example.com")
      return {200, R"([{"name":"example.com"}])"};
    if (request.method == "GET" && request.target == "/domains/example.com/rrsets/_acme-challenge.www/TXT/") {
      if (values.empty()) return {404, R"({"detail":"Not found."})"};
      json list = json::array();
      for (const std::string& value : values) list.push_back('"' + value + '"');
      return {200, json{{"records", list}, {"ttl", 3600}}.dump()};
    }
    if (request.method != "PUT" || request.target != "/domains/example.com/rrsets/") return {400, "{}"};
    const json body = json::parse(request.body)[0];
    if (body["subname"] != "_acme-challenge.www" || body["type"] != "TXT" || body["ttl"] != 3600)
      return {400, "{}"};
    values.clear();
    for (const auto& value : body["records"]) values.insert(unquoted(value));
    return {200, "[]"};
  });
  auto made = make("desec", {{"DESEC_TOKEN", "token"}, {"DESEC_API_URL", api.url()}});

  keeps_values_apart(*made->provider, values);
}

// ---- Route 53

TEST(Route53, SignsAsTheTestSuiteOfSignatureVersion4) {
  const AwsKeys keys{
      .id = "AKIDEXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", .session = ""};

  const auto fields = aws_signature(keys, "us-east-1", "service", "GET", "https://example.amazonaws.com/", "",
                                    "20150830T123600Z");

  EXPECT_EQ(fields.at(1),
            "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(Route53, ReadsElementsOfXml) {
  EXPECT_THAT(xml_elements("<a><b>1</b><bc>x</bc><b y='2'>3</b><b/></a>", "b"), ElementsAre("1", "3"));
  EXPECT_TRUE(xml_elements("<b>1", "b").empty());
  EXPECT_TRUE(xml_elements("<b", "b").empty());
}

TEST(Route53, KeepsTheOtherValuesOfTheNameAndWaitsUntilInSync) {
  std::set<std::string> values = {"foreign"};
  std::string base, action;
  int polls = 0;
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    const std::string time = request.header("x-amz-date");
    const AwsKeys keys{.id = "AKID", .secret = "secret", .session = "session"};
    const auto expected = aws_signature(keys, "us-east-1", "route53", request.method, base + request.target,
                                        request.body, time);
    if ("Authorization: " + request.header("authorization") != expected.at(1) ||
        request.header("x-amz-security-token") != "session")
      return {403, "<ErrorResponse><Error><Message>SignatureDoesNotMatch</Message></Error></ErrorResponse>"};
    if (request.target == "/2013-04-01/hostedzonesbyname?dnsname=example.com.&maxitems=100")
      return {
          200,
          "<R><HostedZones><HostedZone><Id>/hostedzone/PRIV</Id><Name>example.com.</"
          "Name><Config><PrivateZone>true"
          "</PrivateZone></Config></HostedZone><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name>"
          "<Config><PrivateZone>false</PrivateZone></Config></HostedZone></HostedZones></R>"};
    if (request.target ==
        "/2013-04-01/hostedzone/Z1/rrset?maxitems=1&name=_acme-challenge.www.example.com.&type=TXT") {
      if (values.empty())
        return {
            200,
            "<R><ResourceRecordSet><Name>other.example.com.</Name><Type>TXT</Type></ResourceRecordSet></R>"};
      std::string list;
      for (const std::string& value : values)
        list += "<ResourceRecord><Value>&quot;" + value + "&quot;</Value></ResourceRecord>";
      return {
          200,
          "<R><ResourceRecordSets><ResourceRecordSet><Name>_acme-challenge.www.example.com.</Name><Type>TXT"
          "</Type><TTL>77</TTL><ResourceRecords>" +
              list +
              "</ResourceRecords></ResourceRecordSet>"
              "</ResourceRecordSets></R>"};
    }
    if (request.target == "/2013-04-01/change/C1") {
      ++polls;
      return {200, polls % 2 ? "<R><Status>PENDING</Status></R>" : "<R><Status>INSYNC</Status></R>"};
    }
    if (request.method != "POST" || request.target != "/2013-04-01/hostedzone/Z1/rrset/")
      return {400, request.target};
    action = xml_elements(request.body, "Action").at(0);
    std::set<std::string> given;
    for (std::string value : xml_elements(request.body, "Value"))
      given.insert(value.substr(6, value.size() - 12));
    if (action == "DELETE" && (given != values || xml_elements(request.body, "TTL").at(0) != "77"))
      return {400, "<Message>not equal</Message>"};
    values = action == "DELETE" ? std::set<std::string>() : given;
    return {200, "<R><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status></ChangeInfo></R>"};
  });
  base = api.url();
  auto made = make("route53", {{"AWS_ACCESS_KEY_ID", "AKID"},
                               {"AWS_SECRET_ACCESS_KEY", "secret"},
                               {"AWS_SESSION_TOKEN", "session"},
                               {"AWS_ENDPOINT_URL_ROUTE_53", base},
                               {"AWS_POLLING_INTERVAL", "0"}});
  ASSERT_TRUE(made) << made.error().what;

  keeps_values_apart(*made->provider, values);
  EXPECT_EQ(polls, 4);
  values.clear();
  ASSERT_TRUE(made->provider->present(kOne, {}));
  ASSERT_TRUE(made->provider->clean_up(kOne, {}));
  EXPECT_EQ(action, "DELETE");
}

// Both are told by 400: five calls a second are allowed, and one change of a zone at a time.
TEST(Route53, ThrottlingIsWaitedFor) {
  int calls = 0;
  TestApi api([&](const ApiRequest&) -> ApiReply {
    if (++calls < 3)
      return {400,
              fmt::format("<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>Rate exceeded"
                          "</Message></Error></ErrorResponse>",
                          calls == 1 ? "Throttling" : "PriorRequestNotComplete"),
              {{"Retry-After", "0"}}};
    return {200, "<R></R>"};
  });
  auto made = make(
      "route53",
      {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "secret"}, {"AWS_ENDPOINT_URL", api.url()}});

  EXPECT_THAT(made->provider->present(kOne, {}).error().detail, HasSubstr("no public hosted zone"));
  EXPECT_EQ(calls, 3);
}

TEST(Route53, ErrorsAreSaidInTheServersWordsAndNotAsXml) {
  TestApi api([](const ApiRequest&) -> ApiReply {
    return {
        403,
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">"
        "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/&quot;x&quot;"
        " is not authorized</Message></Error><RequestId>r</RequestId></ErrorResponse>"};
  });
  auto made = make(
      "route53",
      {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "secret"}, {"AWS_ENDPOINT_URL", api.url()}});

  EXPECT_THAT(made->provider->present(kOne, {}).error().detail,
              AllOf(HasSubstr("answers 403: AccessDenied: User: arn:aws:iam::1:user/\"x\" is not authorized; "
                              "look at AWS_ACCESS_KEY_ID"),
                    Not(HasSubstr("<"))));
}

TEST(Route53, KeysComeFromAProfileToo) {
  const std::string path = ::testing::TempDir() + "/fairlead-aws-credentials";
  std::ofstream(path) << "[default]\naws_access_key_id = no\naws_secret_access_key = "
                         "no\n[work]\naws_access_key_id = AKIDWORK\n"
                         "aws_secret_access_key = s\n";
  TestApi api([](const ApiRequest&) { return ApiReply{200, "<R></R>"}; });
  auto made =
      make("route53",
           {{"AWS_SHARED_CREDENTIALS_FILE", path}, {"AWS_PROFILE", "work"}, {"AWS_ENDPOINT_URL", api.url()}});
  ASSERT_TRUE(made) << made.error().what;

  EXPECT_THAT(made->provider->present(kOne, {}).error().detail, HasSubstr("no public hosted zone"));
  EXPECT_THAT(api.seen().front().header("authorization"), HasSubstr("Credential=AKIDWORK/"));
  std::filesystem::remove(path);
}

// ---- DuckDNS

TEST(DuckDns, SetsAndClearsTheOneRecordOfADomain) {
  std::string held;
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    if (request.target == "/update?clear=false&domains=home&token=t&txt=value-one")
      held = "value-one";
    else if (request.target == "/update?clear=true&domains=home&token=t&txt=")
      held.clear();
    else
      return {200, "KO"};
    return {200, "OK"};
  });
  auto made = make("duckdns", {{"DUCKDNS_TOKEN", "t"}, {"DUCKDNS_API_URL", api.url()}});
  Record one = kOne, two = kTwo;
  one.name = two.name = "_acme-challenge.www.home.duckdns.org";

  ASSERT_TRUE(made->provider->present(one, {}));
  EXPECT_EQ(held, "value-one");
  EXPECT_THAT(made->provider->present(two, {}).error().detail, HasSubstr("one TXT value"));
  ASSERT_TRUE(made->provider->clean_up(two, {}));
  EXPECT_EQ(held, "value-one") << "only its own value is cleared";
  ASSERT_TRUE(made->provider->clean_up(one, {}));
  EXPECT_EQ(held, "");
  EXPECT_THAT(made->provider->present(kOne, {}).error().detail, HasSubstr("duckdns.org"));
  one.name = "_acme-challenge.other.duckdns.org";
  EXPECT_THAT(made->provider->present(one, {}).error().detail,
              AllOf(HasSubstr("DUCKDNS_TOKEN"), Not(HasSubstr("token=t"))));
}

// ---- hooks

TEST(HttpReq, PostsNameAndValueOrTheRawParts) {
  TestApi api([](const ApiRequest& request) {
    return ApiReply{request.target.ends_with("/cleanup") ? 500 : 200, "no such luck"};
  });
  const Variables variables = {
      {"HTTPREQ_ENDPOINT", api.url() + "/dns"}, {"HTTPREQ_USERNAME", "u"}, {"HTTPREQ_PASSWORD", "p"}};
  Variables raw = variables;
  raw["HTTPREQ_MODE"] = "RAW";

  ASSERT_TRUE(make("httpreq", variables)->provider->present(kOne, {}));
  ASSERT_TRUE(make("httpreq", raw)->provider->present(kOne, {}));
  const auto failed = make("httpreq", variables)->provider->clean_up(kOne, {});

  const auto seen = api.seen();
  EXPECT_EQ(seen.at(0).target, "/dns/present");
  EXPECT_EQ(seen.at(0).header("authorization"), "Basic " + base64("u:p"));
  EXPECT_EQ(json::parse(seen.at(0).body),
            json({{"fqdn", "_acme-challenge.www.example.com."}, {"value", "value-one"}}));
  EXPECT_EQ(json::parse(seen.at(1).body),
            json({{"domain", "www.example.com"}, {"token", "-token"}, {"keyAuth", "-token.print"}}));
  EXPECT_THAT(failed.error().detail, AllOf(HasSubstr("/cleanup answers 500"), HasSubstr("no such luck")));
  EXPECT_THAT(make("httpreq", {{"HTTPREQ_ENDPOINT", "x.example"}}).error().what, HasSubstr("URL"));
}

// A script that writes its arguments to `folder`/log and does `then`.
std::string script(const std::string& folder, const std::string& then) {
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/hook.sh";
  std::ofstream(path) << "#!/bin/sh\nprintf '%s\\n' \"$*\" >>" << folder << "/log\n" << then << "\n";
  ::chmod(path.c_str(), 0700);
  return path;
}

std::string contents(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ExecHook, RunsTheProgramAsLegoDoes) {
  const std::string folder = ::testing::TempDir() + "/fairlead-exec";
  std::filesystem::remove_all(folder);
  const std::string path = script(folder, "");
  auto plain = make("exec", {{"EXEC_PATH", path}});
  auto raw = make("exec", {{"EXEC_PATH", path}, {"EXEC_MODE", "RAW"}});

  ASSERT_TRUE(plain->provider->present(kOne, {}));
  ASSERT_TRUE(plain->provider->clean_up(kOne, {}));
  ASSERT_TRUE(raw->provider->present(kOne, {}));

  EXPECT_EQ(contents(folder + "/log"),
            "present _acme-challenge.www.example.com. value-one\ncleanup _acme-challenge.www.example.com. "
            "value-one\n"
            "present -- www.example.com -token -token.print\n");
}

TEST(ExecHook, AFailureIsSaidWithTheLastLineOfTheProgram) {
  const std::string folder = ::testing::TempDir() + "/fairlead-exec-fails";
  auto made =
      make("exec", {{"EXEC_PATH", script(folder, "echo first; echo the zone is locked >&2; exit 3")}});

  EXPECT_THAT(made->provider->present(kOne, {}).error().detail,
              AllOf(HasSubstr("status 3"), HasSubstr("the zone is locked")));
  EXPECT_THAT(make("exec", {{"EXEC_PATH", "/nonexistent/hook"}}).error().what,
              HasSubstr("/nonexistent/hook"));
  EXPECT_THAT(
      make("exec", {{"EXEC_PATH", "no-such-program-here"}})->provider->present(kOne, {}).error().detail,
      HasSubstr("cannot be started"));
}

TEST(ExecHook, AStopAndALimitEndTheProgramAndItsChildren) {
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(200ms);
    stop.request_stop();
  });

  const auto begun = std::chrono::steady_clock::now();
  const auto stopped = run_program({"sh", "-c", "sleep 60 & sleep 60"}, 1min, stop.get_token());
  const auto late = run_program({"sleep", "60"}, 200ms, {});

  EXPECT_EQ(stopped.error().detail, "stopped");
  EXPECT_THAT(late.error().detail, HasSubstr("not finished"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
}

TEST(AcmeDns, RegistersADomainOnceAndUpdatesItThen) {
  const std::string path = ::testing::TempDir() + "/fairlead-acme-dns.json";
  std::filesystem::remove(path);
  std::vector<std::string> texts;
  TestApi api([&](const ApiRequest& request) -> ApiReply {
    if (request.target == "/register") {
      if (json::parse(request.body)["allowfrom"] != json({"10.0.0.0/8"})) return {400, "{}"};
      return {
          201,
          R"({"fulldomain":"abc.auth.example","subdomain":"abc","username":"user","password":"pw","allowfrom":[]})"};
    }
    if (request.header("x-api-user") != "user" || request.header("x-api-key") != "pw")
      return {401, R"({"error":"forbidden"})"};
    const json body = json::parse(request.body);
    if (body["subdomain"] != "abc") return {400, "{}"};
    texts.push_back(body["txt"]);
    return {200, "{}"};
  });
  const Variables variables = {{"ACME_DNS_API_BASE", api.url()},
                               {"ACME_DNS_STORAGE_PATH", path},
                               {"ACME_DNS_ALLOWLIST", "10.0.0.0/8"}};
  Record delegated = kOne;
  delegated.name = "abc.auth.example";

  const auto first = make("acme-dns", variables)->provider->present(kOne, {});
  const auto undelegated = make("acme-dns", variables)->provider->present(kOne, {});
  const auto second = make("acmedns", variables)->provider->present(delegated, {});

  EXPECT_THAT(first.error().detail, HasSubstr("_acme-challenge.www.example.com. CNAME abc.auth.example."));
  EXPECT_THAT(undelegated.error().detail, HasSubstr("CNAME abc.auth.example."));
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_THAT(texts, ElementsAre("value-one"));
  struct stat info{};
  ::stat(path.c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(json::parse(contents(path))["www.example.com"]["server_url"], api.url());
}

TEST(AcmeDns, ReadsAccountsAsOlderVersionsOfLegoWroteThem) {
  const std::string path = ::testing::TempDir() + "/fairlead-acme-dns-old.json";
  std::ofstream(path)
      << R"({"www.example.com":{"FullDomain":"abc.auth.example","SubDomain":"abc","Username":"user","Password":"pw"}})";
  TestApi api([](const ApiRequest& request) {
    return ApiReply{request.header("x-api-key") == "pw" ? 200 : 401, "{}"};
  });
  Record delegated = kOne;
  delegated.name = "abc.auth.example";

  const auto done = make("acme-dns", {{"ACME_DNS_API_BASE", api.url()}, {"ACME_DNS_STORAGE_PATH", path}})
                        ->provider->present(delegated, {});

  EXPECT_TRUE(done) << done.error().detail;
}

}  // namespace
}  // namespace fairlead::acme::dns
