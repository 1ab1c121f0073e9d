// A user whom permissions of files concern: root becomes one while this lives, everybody else is one.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

namespace fairlead::test {

class AsNobody {
 public:
  AsNobody() {
    if (!was_root_) return;
    EXPECT_EQ(::setegid(kNobody), 0);
    EXPECT_EQ(::seteuid(kNobody), 0);
  }
  ~AsNobody() {
    if (!was_root_) return;
    EXPECT_EQ(::seteuid(0), 0);
    EXPECT_EQ(::setegid(0), 0);
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  static constexpr unsigned kNobody = 65532;
  const bool was_root_ = ::geteuid() == 0;
};

}  // namespace fairlead::test
