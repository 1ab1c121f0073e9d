#pragma once

#include "acme/state.h"
#include "engine/base/result.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::acme {

// Where a certificate is exported to: its main name, `_` for the asterisk of a wildcard.
std::string export_folder_name(const std::string& main);

// Keeps <folder>/<name>/fullchain.pem and privkey.pem up to date, each written beside and renamed, both 0600.
// True when something was written.
Configured<bool> export_certificate(const std::string& folder, const StoredCertificate& certificate);

// Exports, and runs a command after each certificate that changed, one after the other on a thread of its
// own. The command gets CERT_NAME, CERT_PATH and KEY_PATH in its environment, and 60 s.
class Exporter {
 public:
  // `hook` empty: none. Any thread.
  void export_all(const std::string& folder, const std::string& hook,
                  const std::vector<StoredCertificate>& certificates);
  // Whether something could not be written the last time.
  bool failed() const;
  void stop();

 private:
  struct Run {
    std::string hook;
    std::string folder;  // of the certificate
    std::string name;
  };
  void run(std::stop_token stop);

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any wake_;
  std::deque<Run> waiting_;
  std::string problem_;
  std::jthread thread_;
};

}  // namespace fairlead::acme
