#include "engine/telemetry/exporter.h"

#include "engine/base/fd.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

namespace fairlead::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A port of this host that nobody listens at, or where nobody answers.
class Port {
 public:
  explicit Port(bool listens) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), raw, size), 0);
    if (listens) EXPECT_EQ(::listen(socket_.get(), 16), 0);
    EXPECT_EQ(::getsockname(socket_.get(), raw, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ExporterOptions options() const {
    ExporterOptions out;
    out.endpoint.url = "http://127.0.0.1:" + std::to_string(port_) + "/v1/traces";
    out.delay = milliseconds(1);
    out.first_pause = milliseconds(10);
    return out;
  }

 private:
  Fd socket_;
  std::uint16_t port_ = 0;
};

TEST(Exporter, DropsAndCountsWhatNobodyTakesInTime) {
  const Port nobody(false);
  ExporterOptions options = nobody.options();
  options.give_up = milliseconds(50);
  Exporter exporter(std::move(options));
  std::string records(100, 'x');

  exporter.give(records, 3);

  EXPECT_TRUE(records.empty());
  EXPECT_TRUE(exporter.flush(seconds(20)));
  EXPECT_EQ(exporter.dropped(), 3U);
}

TEST(Exporter, HoldsNoMoreThanItsBoundWhileTheCollectorHangs) {
  const Port silent(true);
  ExporterOptions options = silent.options();
  options.max_waiting = 10'000;
  Exporter exporter(std::move(options));

  for (int i = 0; i < 1'000; ++i) {
    std::string records(100, 'x');
    exporter.give(records, 1);
    EXPECT_TRUE(records.empty());
  }

  EXPECT_EQ(exporter.dropped(), 900U);
  EXPECT_FALSE(exporter.flush(milliseconds(10)));
}

TEST(Exporter, EndsAtOnceWhileTheCollectorHangs) {
  const Port silent(true);
  const auto begun = std::chrono::steady_clock::now();
  {
    Exporter exporter(silent.options());
    std::string records(100, 'x');
    exporter.give(records, 1);
    std::this_thread::sleep_for(milliseconds(50));
  }

  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(9)) << "a request may take 10 s";
}

}  // namespace
}  // namespace fairlead::telemetry
