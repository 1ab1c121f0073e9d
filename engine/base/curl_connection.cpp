#include "engine/base/curl_connection.h"

namespace fairlead {
namespace {

// libcurl's own initialisation must come before any handle, and once.
CURLM* first_handle() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_ALL);
  static_cast<void>(once);
  return curl_multi_init();
}

void set_pem(CURL* easy, CURLoption path_option, CURLoption blob_option, const std::string& value) {
  if (value.empty()) return;
  if (value.find("-----BEGIN") == std::string::npos) {
    curl_easy_setopt(easy, path_option, value.c_str());
    return;
  }
  curl_blob blob{const_cast<char*>(value.data()), value.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, blob_option, &blob);
}

}  // namespace

CurlConnection::CurlConnection() : multi_(first_handle()), easy_(curl_easy_init()) {
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
}

CurlConnection::~CurlConnection() {
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
}

void CurlConnection::use_tls(const std::string& ca, const std::string& certificate, const std::string& key,
                             bool verify) {
  set_pem(easy_, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB, ca);
  set_pem(easy_, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB, certificate);
  set_pem(easy_, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB, key);
  curl_easy_setopt(easy_, CURLOPT_KEYPASSWD, "");  // else OpenSSL asks whoever sits at the terminal
  if (verify) return;
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
}

void CurlConnection::begin() {
  failed_ = CURLM_OK;
  words_[0] = 0;
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, words_);
  curl_multi_add_handle(multi_, easy_);
}

bool CurlConnection::step(std::chrono::milliseconds look) {
  int running = 0;
  failed_ = curl_multi_perform(multi_, &running);
  if (failed_ == CURLM_OK && running > 0)
    failed_ = curl_multi_poll(multi_, nullptr, 0, static_cast<int>(look.count()), nullptr);
  return failed_ == CURLM_OK && running > 0;
}

CurlConnection::Outcome CurlConnection::end() {
  Outcome out;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left))
    if (message->msg == CURLMSG_DONE) out.code = message->data.result;
  curl_multi_remove_handle(multi_, easy_);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, nullptr);
  if (failed_ != CURLM_OK)
    out.problem = curl_multi_strerror(failed_);
  else if (out.code != CURLE_OK)
    out.problem = words_[0] != 0 ? words_ : curl_easy_strerror(out.code);
  return out;
}

}  // namespace fairlead
