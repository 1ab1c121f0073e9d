#pragma once

#include "acme/solver.h"
#include "engine/base/result.h"
#include "engine/base/strings.h"
#include "engine/model/resolvers.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace fairlead::acme {

// Who vouches for the certificate of an authority's own server: caCertificates, else LEGO_CA_CERTIFICATES.
// Each is a path, or PEM text. Of one thread.
class AuthorityFiles {
 public:
  AuthorityFiles(const model::Acme& options, const Environment& environment)
      : listed_(options.ca_certificates) {
    if (listed_.empty())
      if (const auto variable = environment("LEGO_CA_CERTIFICATES"))
        for (const std::string_view path : split(*variable, ':')) listed_.emplace_back(path);
    accept();
  }

  // All of them as one PEM text; empty where none is named.
  Configured<std::string> read() const {
    std::string out;
    for (const std::string& path : listed_) {
      if (is_text(path)) {
        out += path + '\n';
        continue;
      }
      std::ifstream in(path, std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      if (text.find("-----BEGIN CERTIFICATE") == std::string::npos)
        return misconfigured("caCertificates",
                             fmt::format("{} holds no certificate, or cannot be read", path));
      out += text + '\n';
    }
    return out;
  }
  // Whether one of the files is another one than when this was made, or accept() was called.
  bool changed() const { return !listed_.empty() && stamps() != stamps_; }
  void accept() { stamps_ = stamps(); }

 private:
  static bool is_text(const std::string& path_or_text) {
    return path_or_text.find("-----BEGIN") != std::string::npos;
  }
  // Differs when one of the files does.
  std::string stamps() const {
    std::string out;
    for (const std::string& path : listed_) {
      if (is_text(path)) continue;
      struct stat found{};
      if (::stat(path.c_str(), &found) != 0) found = {};
      out += fmt::format("{} {} {} {}.{}\n", found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                         found.st_mtim.tv_nsec);
    }
    return out;
  }

  std::vector<std::string> listed_;
  std::string stamps_;
};

}  // namespace fairlead::acme
