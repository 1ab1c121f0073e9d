#include "acme/authority_files.h"

#include "acme/encoding.h"
#include "tests/support/as_nobody.h"
#include "tests/support/without_descriptors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace fairlead::acme {
namespace {

namespace fs = std::filesystem;

class Authorities : public testing::Test {
 protected:
  Authorities() {
    std::ofstream(path_) << "-----BEGIN CERTIFICATE-----\n";
    options_.ca_certificates = {path_};
  }
  ~Authorities() override { fs::remove(path_); }

  AuthorityFiles files() const {
    return {options_, [](const std::string&) { return std::nullopt; }};
  }

  const std::string path_ = fs::temp_directory_path() / ("authorities-" + hex(random_bytes(8)));
  model::Acme options_;
};

TEST_F(Authorities, AreReadAgainOnceThisProcessMay) {
  AuthorityFiles known = files();
  ASSERT_EQ(::chmod(path_.c_str(), 0000), 0);
  {
    const test::AsNobody nobody;
    known.accept();
    EXPECT_FALSE(known.read());
    EXPECT_FALSE(known.changed()) << "nobody reads in vain all the time";
  }
  ASSERT_EQ(::chmod(path_.c_str(), 0444), 0);
  const test::AsNobody nobody;

  EXPECT_TRUE(known.changed());
  EXPECT_TRUE(known.read());
}

TEST_F(Authorities, AreReadAgainWhenDescriptorsAreFree) {
  AuthorityFiles known = files();
  {
    const test::WithoutDescriptors none;
    EXPECT_FALSE(known.read());
    EXPECT_FALSE(known.changed());
  }

  EXPECT_TRUE(known.changed());
  EXPECT_TRUE(known.read());
  EXPECT_FALSE(known.changed());
}

}  // namespace
}  // namespace fairlead::acme
