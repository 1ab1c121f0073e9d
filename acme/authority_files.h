#pragma once

#include "acme/solver.h"
#include "engine/base/file_stamp.h"
#include "engine/base/result.h"
#include "engine/base/strings.h"
#include "engine/model/resolvers.h"

#include <fmt/format.h>

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
  Configured<std::string> read() {
    std::string out;
    unread_.clear();
    for (const std::string& path : listed_) {
      if (is_text(path)) {
        out += path + '\n';
        continue;
      }
      std::ifstream in(path, std::ios::binary);
      if (!in) unread_ = path;
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      if (text.find("-----BEGIN CERTIFICATE") == std::string::npos)
        return misconfigured("caCertificates",
                             fmt::format("{} holds no certificate, or cannot be read", path));
      out += text + '\n';
    }
    return out;
  }
  // Whether one of the files is another one than when this was made, or accept() was called, or can be opened
  // at last.
  bool changed() const {
    return !listed_.empty() && (stamps() != stamps_ || (!unread_.empty() && can_be_opened(unread_)));
  }
  void accept() {
    stamps_ = stamps();
    unread_.clear();
    for (const std::string& path : listed_)
      if (!is_text(path) && !can_be_opened(path)) unread_ = path;
  }

 private:
  static bool is_text(const std::string& path_or_text) {
    return path_or_text.find("-----BEGIN") != std::string::npos;
  }
  // Differs when one of the files does.
  std::vector<FileStamp> stamps() const {
    std::vector<FileStamp> out;
    for (const std::string& path : listed_)
      if (!is_text(path)) out.emplace_back(path);
    return out;
  }

  std::vector<std::string> listed_;
  std::vector<FileStamp> stamps_;
  std::string unread_;  // the file that could not be opened the last time
};

}  // namespace fairlead::acme
