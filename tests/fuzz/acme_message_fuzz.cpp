// Whatever an authority answers: bodies of every kind, and the fields that are read from heads.
#include "acme/client.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::acme;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)read_directory(text);
  (void)read_order(text);
  (void)read_authorization(text);
  (void)read_renewal_window(text);
  const Problem problem = read_problem(429, text);
  (void)problem.text();
  (void)read_retry_after(text, fairlead::WallTime(std::chrono::seconds(1'700'000'000)));
  (void)read_time(text);
  HttpResponse response;
  response.headers.emplace_back("link", text);
  (void)links(response, "alternate");
  return 0;
}
