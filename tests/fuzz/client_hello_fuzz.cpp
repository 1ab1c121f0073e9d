// ClientHello: never reads beyond its input, and more bytes never turn a decision back.
#include "engine/tls/client_hello.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace fairlead;

void demand(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const tls::HelloResult whole = tls::parse_client_hello(input);
  for (const char c : whole.hello.server_name)
    demand(static_cast<unsigned char>(c) > 0x20 && !(c >= 'A' && c <= 'Z'));
  demand(whole.status != tls::HelloStatus::Malformed || !whole.why.empty());
  // A prefix waits, or says what the whole says; a parsed hello is the same with anything behind it.
  for (const std::size_t cut : {size / 2, size - (size > 0)}) {
    const tls::HelloResult part = tls::parse_client_hello(input.substr(0, cut));
    demand(part.status == tls::HelloStatus::NeedMore || part.status == whole.status);
    if (part.status == tls::HelloStatus::Parsed) demand(part.hello.server_name == whole.hello.server_name);
  }
  if (whole.status == tls::HelloStatus::Parsed) {
    const tls::HelloResult more = tls::parse_client_hello(std::string(input) + "x");
    demand(more.status == tls::HelloStatus::Parsed && more.hello.alpn == whole.hello.alpn);
  }
  return 0;
}
