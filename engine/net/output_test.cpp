#include "engine/net/output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace fairlead::net {
namespace {

// Takes at most `room` bytes.
class Sink final : public Transport {
 public:
  IoResult read(std::span<char>) override { return {0, IoStatus::WouldBlock, 0, true}; }
  IoResult write(std::span<const iovec> parts) override {
    ++writes;
    if (broken) return {0, IoStatus::Failed, EPIPE, false};
    std::size_t taken = 0;
    for (const iovec& part : parts) {
      const std::size_t count = std::min(part.iov_len, room);
      bytes.append(static_cast<const char*>(part.iov_base), count);
      room -= count;
      taken += count;
    }
    return taken == 0 ? IoResult{0, IoStatus::WouldBlock, 0, false} : IoResult{taken, IoStatus::Ok, 0, false};
  }
  void finish_writing() override {}
  void close() override {}
  bool closed() const override { return false; }
  Address local() const override { return {}; }

  std::size_t room = 1 << 30;
  bool broken = false;
  int writes = 0;
  std::string bytes;
};

TEST(Output, SendsWhatWaitsAndWhatIsGivenInOneWrite) {
  Sink sink;
  Output output;
  output.append("head ");

  const IoResult result = output.flush(sink, "size ", "body", " end");

  EXPECT_EQ(result.status, IoStatus::Ok);
  EXPECT_EQ(sink.bytes, "head size body end");
  EXPECT_EQ(sink.writes, 1);
  EXPECT_TRUE(output.empty());
}

TEST(Output, KeepsInOrderWhatThePeerDoesNotTake) {
  for (std::size_t room = 0; room <= 18; ++room) {
    Sink sink;
    sink.room = room;
    Output output;
    output.append("head ");
    output.flush(sink, "size ", "body", " end");
    EXPECT_EQ(output.size(), 18 - room);
    sink.room = 1 << 20;

    output.flush(sink);

    EXPECT_EQ(sink.bytes, "head size body end") << room;
    EXPECT_TRUE(output.empty());
  }
}

TEST(Output, CarriesMoreThanManyBlocks) {
  Sink sink;
  sink.room = 100;
  Output output;
  std::string all;
  for (int i = 0; i < 50'000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    all += piece;
    output.append(piece);
  }
  while (!output.empty()) {
    sink.room = 70'000;
    output.flush(sink);
  }

  EXPECT_EQ(sink.bytes, all);
}

TEST(Output, AReservedHeadMayBeLargerThanABlock) {
  Sink sink;
  Output output;
  output.append("a");
  char* to = output.reserve(100'000);
  std::fill_n(to, 100'000, 'x');
  output.commit(100'000);
  output.append("b");

  output.flush(sink);

  EXPECT_EQ(sink.bytes, "a" + std::string(100'000, 'x') + "b");
}

TEST(Output, ForgetsEverythingWhenThePeerIsGone) {
  Sink sink;
  sink.broken = true;
  Output output;
  output.append("head");

  EXPECT_EQ(output.flush(sink).status, IoStatus::Failed);
  EXPECT_TRUE(output.empty());
}

}  // namespace
}  // namespace fairlead::net
