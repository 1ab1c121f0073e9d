#include "cmd/fairlead/control_socket.h"

#include "tests/support/without_descriptors.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <thread>
#include <vector>

namespace fairlead::cmd {
namespace {

class ControlSocketPath : public testing::Test {
 protected:
  ControlSocketPath()
      : path_(std::filesystem::temp_directory_path() / ("control-" + std::to_string(::getpid()) + ".sock")) {}
  ~ControlSocketPath() override { ::unlink(path_.c_str()); }

  ControlSocket::Commands commands() const {
    return {{"echo", [](std::string_view text) { return nlohmann::json(text).dump(); }}};
  }
  const std::string path_;
};

TEST_F(ControlSocketPath, AnswersALineWithALine) {
  const auto socket = ControlSocket::open(path_, commands());
  ASSERT_TRUE(socket) << socket.error().detail;

  EXPECT_EQ(*ask_control(path_, "echo a b"), "\"a b\"");
  EXPECT_EQ(*ask_control(path_, "echo"), "\"\"");
}

TEST_F(ControlSocketPath, NamesTheCommandsWhenOneIsUnknown) {
  const auto socket = ControlSocket::open(path_, commands());

  const auto answer = nlohmann::json::parse(*ask_control(path_, "ehco"));

  EXPECT_EQ(answer["commands"], nlohmann::json::array({"echo"}));
  EXPECT_NE(answer["error"].get<std::string>().find("ehco"), std::string::npos);
}

TEST_F(ControlSocketPath, IsForItsOwnerOnly) {
  const auto socket = ControlSocket::open(path_, commands());
  struct stat about{};

  ASSERT_EQ(::stat(path_.c_str(), &about), 0);

  EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST_F(ControlSocketPath, RefusesAPathThatAnotherInstanceUses) {
  const auto first = ControlSocket::open(path_, commands());

  const auto second = ControlSocket::open(path_, commands());

  ASSERT_FALSE(second);
  EXPECT_NE(second.error().detail.find("another instance"), std::string::npos);
  EXPECT_TRUE(ask_control(path_, "echo"));
}

TEST_F(ControlSocketPath, ReplacesWhatADeadInstanceLeft) {
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(dead);

  const auto socket = ControlSocket::open(path_, commands());

  ASSERT_TRUE(socket) << socket.error().detail;
  EXPECT_TRUE(ask_control(path_, "echo"));
}

// Clients that say nothing.
class SilentClient {
 public:
  void connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

 private:
  Fd socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

TEST_F(ControlSocketPath, ClientsThatSayNothingKeepNobodyOut) {
  const auto socket = ControlSocket::open(path_, commands());
  std::vector<SilentClient> silent(40);
  for (SilentClient& client : silent) client.connect(path_);

  EXPECT_TRUE(ask_control(path_, "echo"));
}

TEST_F(ControlSocketPath, WithoutDescriptorsItRests) {
  const auto socket = ControlSocket::open(path_, commands());
  ASSERT_TRUE(ask_control(path_, "echo"));
  SilentClient client;
  const auto spent = [] {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  };

  {
    const test::WithoutDescriptors none;
    client.connect(path_);
    const double begun = spent();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    EXPECT_LT(spent() - begun, 0.2);
  }

  EXPECT_TRUE(ask_control(path_, "echo"));
}

TEST_F(ControlSocketPath, IsGoneWhenTheProgramEnds) {
  {
    const auto socket = ControlSocket::open(path_, commands());
  }

  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_FALSE(ask_control(path_, "echo"));
}

}  // namespace
}  // namespace fairlead::cmd
