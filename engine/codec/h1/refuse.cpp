#include "engine/codec/h1/refuse.h"

#include "engine/http/user_info.h"

#include <fmt/format.h>

namespace fairlead::codec::h1 {

std::unexpected<Error> refuse(int status, Fault fault, std::string_view what, std::size_t position,
                              std::string_view bytes) {
  return fail(status, fault,
              fmt::format("{} at byte {}: {}", what, position, quoted(http::without_user_info(bytes), 64)));
}

}  // namespace fairlead::codec::h1
