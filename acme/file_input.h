#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <streambuf>

namespace fairlead::acme {

// What a descriptor holds, from where it stands, for a std::istream. An error is an early end, which error()
// tells.
class FileInput final : public std::streambuf {
 public:
  explicit FileInput(int descriptor) : descriptor_(descriptor) {}
  // Of read(2); 0 when all went well.
  int error() const { return error_; }

 private:
  int_type underflow() override {
    ssize_t got = 0;
    do {
      got = ::read(descriptor_, block_.data(), block_.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) error_ = errno;
    if (got <= 0) return traits_type::eof();
    setg(block_.data(), block_.data(), block_.data() + got);
    return traits_type::to_int_type(block_.front());
  }

  const int descriptor_;
  int error_ = 0;
  std::array<char, 64 * 1024> block_;
};

}  // namespace fairlead::acme
