#pragma once

#include "acme/dns/resolver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace fairlead::acme::dns::test {

// A real Knot DNS server on 127.0.0.1, primary of example.test and proofs.test. Updates of example.test need
// one of the keys key-md5, key-sha1, key-sha256, key-sha512; those of proofs.test none.
class Knot {
 public:
  static constexpr const char* kSecret = "c2VjcmV0IHNoYXJlZCB3aXRoIHRoZSBzZXJ2ZXI=";

  Knot() {
    char name[] = "/tmp/fairlead-knot-XXXXXX";
    folder_ = ::mkdtemp(name);
    port_ = free_port();
    write("example.test.zone",
          "$ORIGIN example.test.\n$TTL 60\n@ SOA ns1 admin 1 60 60 3600 60\n@ NS ns1\nns1 A 127.0.0.1\n"
          "_acme-challenge.www CNAME www.proofs.test.\n_acme-challenge.round CNAME circle\n"
          "circle CNAME _acme-challenge.round\n@ CAA 0 issue \"ca.example\"\n");
    write("proofs.test.zone",
          "$ORIGIN proofs.test.\n$TTL 60\n@ SOA ns1.example.test. admin 1 60 60 3600 60\n@ NS "
          "ns1.example.test.\n"
          "@ NS ns2\nns2 A 127.0.0.2\n");
    std::string text = "server:\n    rundir: " + folder_ + "\n    listen: 127.0.0.1@" +
                       std::to_string(port_) +
                       "\n    background-workers: 1\n    udp-workers: 1\n    tcp-workers: 1\n"
                       "database:\n    storage: " +
                       folder_ + "\nlog:\n  - target: stderr\n    any: warning\nkey:\n";
    for (const char* kind : {"md5", "sha1", "sha256", "sha512"})
      text += std::string("  - id: key-") + kind + "\n    algorithm: hmac-" + kind +
              "\n    secret: " + kSecret + "\n";
    text +=
        "acl:\n  - id: signed\n    key: [key-md5, key-sha1, key-sha256, key-sha512]\n    action: update\n"
        "  - id: open\n    address: 127.0.0.1\n    action: update\nzone:\n";
    for (const auto& [zone, acl] : {std::pair("example.test", "signed"), std::pair("proofs.test", "open")})
      text += std::string("  - domain: ") + zone + "\n    storage: " + folder_ + "\n    file: " + zone +
              ".zone\n    acl: " + acl +
              "\n    zonefile-sync: -1\n    journal-content: none\n    zonefile-load: whole\n";
    write("knot.conf", text);
    pid_ = ::fork();
    if (pid_ == 0) {
      const std::string config = folder_ + "/knot.conf";
      const int log = ::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(log, 1);
      ::dup2(log, 2);
      ::execlp("knotd", "knotd", "-c", config.c_str(), static_cast<char*>(nullptr));
      ::execl("/usr/sbin/knotd", "knotd", "-c", config.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    for (int i = 0; i < 1000 && !ready_; ++i) {
      const auto answer =
          ask_server(server(), "proofs.test", Type::SOA, false, {}, std::chrono::milliseconds(500));
      ready_ = answer && answer->rcode == kNoError;
      if (!ready_) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  ~Knot() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }

  bool ready() const { return ready_; }
  std::uint16_t port() const { return port_; }
  std::string server() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string log() const {
    std::ifstream in(folder_ + "/log");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // The TXT values of a name, sorted.
  std::vector<std::string> values(const std::string& name) const {
    std::vector<std::string> out;
    const auto answer = ask_server(server(), name, Type::TXT, false);
    if (answer)
      for (const ResourceRecord& record : answer->answers)
        if (record.is(Type::TXT)) out.push_back(txt_value(record).value_or("?"));
    std::ranges::sort(out);
    return out;
  }

 private:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }
  static std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
  }

  std::string folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
  bool ready_ = false;
};

}  // namespace fairlead::acme::dns::test
