#include "acme/http_client.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <cstdlib>
#include <string>
#include <thread>

namespace fairlead::acme {
namespace {

// A proxy that answers in place of whomever it is asked for, and what it was asked last.
class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() {
    proxy_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      asked_ = request.target;
      response.set_content("by proxy", "text/plain");
      return httplib::Server::HandlerResponse::Handled;
    });
    const int port = proxy_.bind_to_any_port("127.0.0.1");
    here_ = "127.0.0.1:" + std::to_string(port);
    setenv("http_proxy", ("http://" + here_).c_str(), 1);
    thread_ = std::thread([this] { proxy_.listen_after_bind(); });
    while (!proxy_.is_running()) std::this_thread::yield();
  }
  ~HttpClientTest() override {
    unsetenv("http_proxy");
    proxy_.stop();
    thread_.join();
  }

  static Result<HttpResponse> get(const std::string& url, bool outside) {
    HttpOptions options;
    options.outside = outside;
    return HttpClient(options).call({.url = url});
  }

  httplib::Server proxy_;
  std::thread thread_;
  std::string here_;
  std::string asked_;
};

TEST_F(HttpClientTest, GoesOutByTheProxyOfTheEnvironment) {
  const auto answer = get("http://authority.invalid/directory", true);

  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, "by proxy");
  EXPECT_EQ(asked_, "http://authority.invalid/directory");
}

TEST_F(HttpClientTest, NeedsNoProxyOnThisMachine) {
  ASSERT_TRUE(get("http://" + here_ + "/directory", true));
  EXPECT_EQ(asked_, "/directory");
}

TEST_F(HttpClientTest, KeepsToItselfWhatDoesNotGoOut) {
  EXPECT_FALSE(get("http://authority.invalid/directory", false));
  EXPECT_EQ(asked_, "");
}

}  // namespace
}  // namespace fairlead::acme
