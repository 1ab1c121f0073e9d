#include "engine/codec/h1/transfer_coding.h"

#include "engine/base/strings.h"
#include "engine/http/fields.h"

namespace fairlead::codec::h1 {

TransferCoding read_transfer_coding(std::string_view value) {
  if (iequals(value, "chunked")) return TransferCoding::Chunked;
  // RFC 9112 §6.3: chunked must come last and once; without it the end of a request cannot be told.
  bool chunked = false;
  for (std::string_view rest = value;;) {
    const auto comma = rest.find(',');
    const std::string_view coding = trim(rest.substr(0, comma));
    if (!http::is_token(coding) || chunked) return TransferCoding::Malformed;
    chunked = iequals(coding, "chunked");
    if (comma == std::string_view::npos) return TransferCoding::Unknown;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace fairlead::codec::h1
