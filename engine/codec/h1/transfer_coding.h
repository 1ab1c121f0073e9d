#pragma once

#include <cstdint>
#include <string_view>

namespace fairlead::codec::h1 {

enum class TransferCoding : std::uint8_t {
  Chunked,    // exactly "chunked", in any case: the one coding we speak
  Unknown,    // a well-formed list of others: 501
  Malformed,  // "chunked" in a place or a dress where the next hop may or may not see it
};

// What the one Transfer-Encoding value says (RFC 9112 §6.1, §7).
TransferCoding read_transfer_coding(std::string_view value);

}  // namespace fairlead::codec::h1
