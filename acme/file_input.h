#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <streambuf>

namespace fairlead::acme {

// What a descriptor holds, from where it stands, for a std::istream. An error is an early end.
class FileInput final : public std::streambuf {
 public:
  explicit FileInput(int descriptor) : descriptor_(descriptor) {}

 private:
  int_type underflow() override {
    ssize_t got = 0;
    do {
      got = ::read(descriptor_, block_.data(), block_.size());
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return traits_type::eof();
    setg(block_.data(), block_.data(), block_.data() + got);
    return traits_type::to_int_type(block_.front());
  }

  const int descriptor_;
  std::array<char, 64 * 1024> block_;
};

}  // namespace fairlead::acme
