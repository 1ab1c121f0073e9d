#include "engine/codec/h1/http_date.h"

#include <array>
#include <ctime>

namespace fairlead::codec::h1 {

std::string_view http_date(event::Loop& loop) {
  thread_local TimePoint made{};
  thread_local std::array<char, 32> text{};
  thread_local std::size_t size = 0;
  if (size != 0 && loop.now() >= made && loop.now() - made < std::chrono::milliseconds(500))
    return {text.data(), size};
  made = loop.now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(loop.wall()));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  // The C locale is never changed in this process, so day and month names are English.
  size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

}  // namespace fairlead::codec::h1
