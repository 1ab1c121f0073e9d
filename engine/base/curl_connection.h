#pragma once

#include <curl/curl.h>

#include <chrono>
#include <string>

namespace fairlead {

// One connection of libcurl for http and https, kept alive between calls; used by one thread at a time.
// Proxies named by the environment do not apply unless the owner lets them.
class CurlConnection {
 public:
  CurlConnection();
  ~CurlConnection();
  CurlConnection(const CurlConnection&) = delete;
  CurlConnection& operator=(const CurlConnection&) = delete;

  // Takes the options of the next calls, and tells about the last one.
  CURL* easy() const { return easy_; }

  // `ca`, `certificate` and `key`: paths, or PEM text in place of them; empty: as the library has it.
  void use_tls(const std::string& ca, const std::string& certificate, const std::string& key, bool verify);

  struct Outcome {
    CURLcode code = CURLE_OK;  // as well when the call was given up
    std::string problem;       // in the library's words; empty: none
  };
  // Makes the call that easy() describes. Until it is over `give_up()` is asked at each step, every `look` at
  // the least.
  template <class GiveUp>
  Outcome run(std::chrono::milliseconds look, const GiveUp& give_up) {
    begin();
    bool running = true;
    while (running && !give_up()) running = step(look);
    return end();
  }

  // Any thread: has run() ask `give_up()` now.
  void wake() { curl_multi_wakeup(multi_); }

 private:
  void begin();
  // Waits only while there is nothing to do; false when the call is over.
  bool step(std::chrono::milliseconds look);
  Outcome end();

  CURLM* const multi_;
  CURL* const easy_;
  CURLMcode failed_ = CURLM_OK;
  char words_[CURL_ERROR_SIZE] = {};
};

}  // namespace fairlead
