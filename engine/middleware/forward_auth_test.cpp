#include "engine/middleware/forward_auth.h"

#include "engine/middleware/forward_auth_request.h"
#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

using exchange::Response;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

// The other server.
upstream::FetchRequest asked;
Result<upstream::FetchResponse> answer;
Task<Result<upstream::FetchResponse>> fake(event::Loop&, upstream::Pools&, upstream::FetchRequest request) {
  asked = std::move(request);
  return Task<Result<upstream::FetchResponse>>::ready(answer);
}

std::shared_ptr<const ForwardAuth> make(ForwardAuthOptions options) {
  exchange::CarryOver carry_over;
  Making making{.name = "auth@docker", .carry_over = carry_over, .service = nullptr, .middleware = nullptr};
  if (options.address.empty()) options.address = "http://auth.internal/verify?app=1";
  answer = upstream::FetchResponse{.status = 200, .headers = {}, .body = {}, .body_too_large = false};
  return ForwardAuth::make(std::move(options), making, &fake).value();
}
void answers(int status, std::vector<std::pair<std::string, std::string>> headers = {},
             std::string body = {}) {
  answer = upstream::FetchResponse{
      .status = status, .headers = std::move(headers), .body = std::move(body), .body_too_large = false};
}

std::vector<std::string> values(const http::Fields& fields, std::string_view name) {
  std::vector<std::string> out;
  for (const http::Field& line : fields)
    if (iequals(line.name, name)) out.emplace_back(line.value);
  return out;
}

TEST(ForwardAuth, AsksAboutTheRequestAndLetsItPass) {
  const auto middleware = make({});
  auto x = test::request("POST", "/a/b?c=d");
  x.header("Cookie", "s=1")
      .header("Connection", "X-Hop, close")
      .header("X-Hop", "1")
      .header("Te", "trailers");
  x.header("Content-Length", "3").header("X-Forwarded-Method", "PUT").header("X-Forwarded-Prefix", "/p");
  x.with_body("abc");

  EXPECT_EQ(test::run(*middleware, x).head.status, 200);

  EXPECT_EQ(asked.method, "GET");
  EXPECT_EQ(asked.url, "http://auth.internal/verify?app=1");
  EXPECT_EQ(asked.body, "");
  EXPECT_THAT(
      asked.headers,
      ElementsAre(Pair("Cookie", "s=1"), Pair("X-Forwarded-Prefix", "/p"), Pair("X-Forwarded-Method", "POST"),
                  Pair("X-Forwarded-Proto", "http"), Pair("X-Forwarded-Host", "example.com"),
                  Pair("X-Forwarded-Uri", "/a/b?c=d"), Pair("X-Forwarded-For", "192.0.2.7")));
  EXPECT_EQ(test::text_of(x.body), "abc");
}

TEST(ForwardAuth, TrustDecidesWhatIsKept) {
  for (const bool trust : {false, true}) {
    ForwardAuthOptions options;
    options.trust_forward_header = trust;
    const auto middleware = make(options);
    auto x = test::get("/a");
    x.header("X-Forwarded-For", "198.51.100.1")
        .header("X-Forwarded-Proto", "https")
        .header("x_forwarded_uri", "/b");
    x.header("X-Forwarded-Prefix", "/p").header("X-Real-Ip", "1.1.1.1").header("X-Forwarded-Port", "444");

    test::run(*middleware, x);

    const auto& sent = asked.headers;
    EXPECT_THAT(sent, Contains(Pair("X-Forwarded-For", trust ? "198.51.100.1, 192.0.2.7" : "192.0.2.7")));
    EXPECT_THAT(sent, Contains(Pair("X-Forwarded-Proto", trust ? "https" : "http")));
    EXPECT_THAT(sent, Contains(Pair("X-Forwarded-Port", trust ? "444" : "80")));
    EXPECT_THAT(sent, Not(Contains(Pair("x_forwarded_uri", "/b"))));
    if (!trust) {
      EXPECT_THAT(sent, Not(Contains(Pair("X-Forwarded-Prefix", "/p"))));
      EXPECT_THAT(sent, Not(Contains(Pair("X-Real-Ip", "1.1.1.1"))));
    }
  }
}

TEST(ForwardAuth, SendsOnlyTheHeadersThatAreListed) {
  ForwardAuthOptions options;
  options.auth_request_headers = {"authorization", "X-Forwarded-Host"};
  const auto middleware = make(options);
  auto x = test::get("/");
  x.header("Authorization", "Bearer t").header("Cookie", "s=1");

  test::run(*middleware, x);

  EXPECT_THAT(asked.headers, Contains(Pair("Authorization", "Bearer t")));
  EXPECT_THAT(asked.headers, Not(Contains(Pair("Cookie", "s=1"))));
}

TEST(ForwardAuth, LogsInWithTheCredentialsOfItsAddressUnlessTheRequestHasItsOwn) {
  ForwardAuthOptions options;
  options.address = "http://proxy:p%40ss@auth.internal/verify";
  const auto middleware = make(options);
  auto x = test::get("/");
  test::run(*middleware, x);
  EXPECT_EQ(asked.url, "http://auth.internal/verify");
  EXPECT_THAT(asked.headers, Contains(Pair("Authorization", "Basic cHJveHk6cEBzcw==")));

  auto own = test::get("/");
  own.header("Authorization", "Bearer t");
  answers(302, {{"Location", "/login"}});
  const Response response = test::run(*middleware, own);
  EXPECT_THAT(asked.headers, Contains(Pair("Authorization", "Bearer t")));
  EXPECT_THAT(asked.headers, Not(Contains(Pair("Authorization", "Basic cHJveHk6cEBzcw=="))));
  EXPECT_EQ(response.head.fields.get("Location"), "http://auth.internal/login");  // tells no password
}

TEST(ForwardAuth, KeepsWhatAProxyInFrontToldWhereItIsTrustedWhateverIsListed) {
  for (const bool trust : {false, true}) {
    ForwardAuthOptions options;
    options.trust_forward_header = trust;
    options.auth_request_headers = {"Authorization"};
    const auto middleware = make(options);
    auto x = test::get("/");
    x.header("X-Forwarded-Server", "edge")
        .header("X-Forwarded-Tls-Client-Cert", "MII")
        .header("Cookie", "s=1");

    test::run(*middleware, x);

    const auto has = [](const char* name, const char* value) { return Contains(Pair(name, value)); };
    EXPECT_EQ(testing::Value(asked.headers, has("X-Forwarded-Server", "edge")), trust);
    EXPECT_EQ(testing::Value(asked.headers, has("X-Forwarded-Tls-Client-Cert", "MII")), trust);
    EXPECT_THAT(asked.headers, Not(has("Cookie", "s=1")));
  }
}

TEST(ForwardAuth, RelaysTheCredentialsAndTheQuestionOfProxies) {
  const auto middleware = make({});
  answers(407, {{"Proxy-Authenticate", "Basic realm=\"x\""},
                {"Keep-Alive", "timeout=5"},
                {"Connection", "close, X-Hop"},
                {"x-hop", "1"}});
  auto x = test::get("/");
  x.header("Proxy-Authorization", "Basic eA==");

  const Response response = test::run(*middleware, x);

  EXPECT_THAT(asked.headers, Contains(Pair("Proxy-Authorization", "Basic eA==")));
  EXPECT_EQ(response.head.status, 407);
  EXPECT_EQ(response.head.fields.get("Proxy-Authenticate"), "Basic realm=\"x\"");
  EXPECT_FALSE(response.head.fields.has("Keep-Alive"));
  EXPECT_FALSE(response.head.fields.has("X-Hop"));
}

TEST(ForwardAuth, TakesHeadersOverAndDeletesTheClientsOwnInEverySpelling) {
  ForwardAuthOptions options;
  options.auth_response_headers = {"x-auth-user", "X-Auth-Groups"};
  const auto middleware = make(options);
  answers(204, {{"X-AUTH-USER", "jo"}, {"X-Other", "1"}});
  auto x = test::get("/");
  x.header("X-Auth-User", "admin").header("x_auth_user", "admin").header("X.Auth.Groups", "root");

  EXPECT_EQ(test::run(*middleware, x).head.status, 200);

  EXPECT_THAT(values(x.request.fields, "X-Auth-User"), ElementsAre("jo"));
  EXPECT_EQ(x.request.fields.size(), 1u);
}

TEST(ForwardAuth, TakesHeadersOverByPattern) {
  ForwardAuthOptions options;
  options.auth_response_headers_regex = "^X-(?<kind>Auth)-";  // Go's spelling of a named group
  const auto middleware = make(options);
  answers(200, {{"x-auth-user", "jo"}, {"Other", "1"}});
  auto x = test::get("/");
  x.header("x-auth-role", "admin").header("X_Auth_Role", "admin").header("Accept", "a/b");

  test::run(*middleware, x);

  EXPECT_THAT(values(x.request.fields, "X-Auth-User"), ElementsAre("jo"));
  EXPECT_EQ(x.request.fields.size(), 2u);
}

TEST(ForwardAuth, ARefusalGoesToTheClientAsItIs) {
  const auto middleware = make({});
  answers(
      403,
      {{"Content-Type", "text/html"}, {"Connection", "close"}, {"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}},
      "<p>no</p>");
  auto x = test::get("/");
  const test::StubService service;

  const Response response = test::run(*middleware, x, service);

  EXPECT_EQ(response.head.status, 403);
  EXPECT_EQ(service.calls, 0);
  EXPECT_EQ(test::text_of(response.body), "<p>no</p>");
  EXPECT_EQ(response.head.content_length, 9u);
  EXPECT_FALSE(response.head.fields.has("Connection"));
  EXPECT_THAT(values(response.head.fields, "Set-Cookie"), ElementsAre("a=1", "b=2"));
}

TEST(ForwardAuth, SaysToTheLogsThatItsServerRefusedOrFailed) {
  const auto middleware = make({});
  const auto cause_of = [&](int status) {
    answers(status);
    auto x = test::get("/");
    test::run(*middleware, x);
    return x.record.cause;
  };

  EXPECT_EQ(cause_of(302)->detail, "forwardAuth: the authentication server answered 302");
  EXPECT_EQ(cause_of(403)->fault, Fault::Client);
  EXPECT_EQ(cause_of(503)->fault, Fault::Upstream);
  EXPECT_FALSE(cause_of(204));
}

TEST(ForwardAuth, ARelativeLocationIsMadeAbsoluteUnlessAskedOtherwise) {
  ForwardAuthOptions options;
  for (const auto& [given, expected] :
       {std::pair{"/login?rd=%2Fa", "http://auth.internal/login?rd=%2Fa"},
        {"login", "http://auth.internal/login"},
        {"/login?rd=https://a.example.com/", "http://auth.internal/login?rd=https://a.example.com/"},
        {"//sso.example.com/", "http://sso.example.com/"},
        {"app:login", "app:login"},
        {"", ""},
        {"/log in?rd=a b", "http://auth.internal/log%20in?rd=a+b"},
        {"https://sso.example.com/?rd=a b", "https://sso.example.com/?rd=a b"},
        {"https://sso.example.com/?rd=https://a.example.com/",
         "https://sso.example.com/?rd=https://a.example.com/"}}) {
    const auto middleware = make(options);
    answers(302, {{"Location", given}});
    auto x = test::get("/");
    EXPECT_EQ(test::run(*middleware, x).head.fields.get("Location"), expected);
  }
  options.preserve_location_header = true;
  const auto middleware = make(options);
  answers(302, {{"Location", "/login"}});
  auto x = test::get("/");
  EXPECT_EQ(test::run(*middleware, x).head.fields.get("Location"), "/login");
}

TEST(ForwardAuth, RedirectsToTheSignInPage) {
  ForwardAuthOptions options;
  options.auth_signin_url = "https://sso.example.com/";
  const auto middleware = make(options);
  answers(401);
  auto x = test::get("/");

  const Response response = test::run(*middleware, x);

  EXPECT_EQ(response.head.status, 302);
  EXPECT_EQ(response.head.fields.get("Location"), "https://sso.example.com/");
}

TEST(ForwardAuth, AddsItsCookiesToTheResponse) {
  ForwardAuthOptions options;
  options.add_auth_cookies_to_response = {"session"};
  const auto middleware = make(options);
  answers(200, {{"Set-Cookie", "session=new; Path=/"}, {"Set-Cookie", "other=1"}});
  auto x = test::get("/");
  const test::StubService service([](exchange::Exchange& own) {
    Response response(own.arena());
    response.head.fields.add("Set-Cookie", "session=old");
    response.head.fields.add("Set-Cookie", "theme=dark");
    return response;
  });

  const Response response = test::run(*middleware, x, service);

  EXPECT_THAT(values(response.head.fields, "Set-Cookie"), ElementsAre("theme=dark", "session=new; Path=/"));
}

TEST(ForwardAuth, SendsTheBodyAlongWithinItsLimit) {
  ForwardAuthOptions options;
  options.forward_body = true;
  options.max_body_size = 5;
  options.preserve_request_method = true;
  const auto middleware = make(options);
  auto fits = test::request("PUT", "/");
  fits.with_body("12345");
  auto too_large = test::request("PUT", "/");
  too_large.with_body("123456");

  EXPECT_EQ(test::run(*middleware, fits).head.status, 200);
  EXPECT_EQ(asked.body, "12345");
  EXPECT_EQ(asked.method, "PUT");
  EXPECT_EQ(test::text_of(fits.body), "12345");
  EXPECT_EQ(test::run(*middleware, too_large).head.status, 401);
}

TEST(ForwardAuth, AnUnreachableServerIs500AndATooLargeAnswer401) {
  const auto middleware = make({});
  answer = fail(502, Fault::Upstream, "connect 127.0.0.1:1: refused", true);
  auto x = test::get("/");
  const Response response = test::run(*middleware, x);
  EXPECT_EQ(response.head.status, 500);
  EXPECT_FALSE(response.retryable());
  EXPECT_EQ(x.record.cause->detail, "forwardAuth: connect 127.0.0.1:1: refused");

  answers(200);
  answer->body_too_large = true;
  EXPECT_EQ(test::run(*middleware, x).head.status, 401);
}

TEST(ForwardAuth, NamesTheUserInTheAccessLog) {
  ForwardAuthOptions options;
  options.header_field = "Remote-User";
  const auto middleware = make(options);
  answers(200, {{"remote-user", "jo"}});
  auto x = test::get("/");

  test::run(*middleware, x);

  EXPECT_EQ(x.record.user, "jo");
}

TEST(ForwardAuth, RefusesWhatCannotBe) {
  EXPECT_THAT(test::Made("forwardAuth", {{"trustForwardHeader", "true"}}).error(), HasSubstr("address"));
  EXPECT_THAT(test::Made("forwardAuth", {{"address", "auth:9091"}}).error(), HasSubstr("address"));
  for (const char* address : {"ftp://jo:hidden@auth", "jo:hidden@auth/x"}) {
    const std::string told = test::Made("forwardAuth", {{"address", address}}).error();
    EXPECT_THAT(told, testing::AllOf(HasSubstr("xxxx@auth"), Not(HasSubstr("hidden"))));
  }
  EXPECT_THAT(
      test::Made("forwardAuth", {{"address", "http://a/"}, {"authResponseHeadersRegex", "("}}).error(),
      HasSubstr("authResponseHeadersRegex"));
}

}  // namespace
}  // namespace fairlead::middleware
