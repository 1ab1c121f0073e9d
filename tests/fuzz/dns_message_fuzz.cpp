// Answers of DNS servers: never read beyond their bytes, and what is read keeps its limits.
#include "acme/dns/message.h"
#include "acme/dns/tsig.h"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace fairlead::acme::dns;

void demand(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static const TsigKey key = *make_tsig_key("key", "hmac-sha256", "c2VjcmV0");
  if (const auto message = parse_message(input)) {
    for (const auto* section : {&message->answers, &message->authority, &message->additional}) {
      for (const ResourceRecord& record : *section) {
        demand(record.begins < size && record.data.size() < size);
        if (const auto value = txt_value(record)) demand(value->size() <= record.data.size());
        if (const auto property = caa_property(record))
          demand(property->tag.size() + property->value.size() + 2 == record.data.size());
      }
    }
  }
  // Nobody without the key signs an answer.
  demand(!verify(input, key, "request", 1'700'000'000));
  (void)read_tsig_key(input);
  return 0;
}
