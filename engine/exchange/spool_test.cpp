#include "engine/exchange/spool.h"

#include "engine/event/test_wait.h"
#include "engine/exchange/tee.h"

#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

using test::wait;

std::string all_of(event::Loop& loop, http::Body& body) {
  std::string out;
  while (true) {
    const Result<http::Chunk> chunk = wait(loop, body.read(50'000));
    if (!chunk) return out + "(broken)";
    out += chunk->bytes;
    if (chunk->last) return out;
  }
}

std::string pattern(std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>('a' + i % 23);
  return out;
}

TEST(Spool, KeepsSmallBodiesInMemoryAndReadsThemAgain) {
  event::Loop loop;
  Spool spool(loop, {});
  const std::string text = pattern(1000);
  const http::BodyPtr from = http::text_body(text);

  ASSERT_TRUE(wait(loop, spool.fill(*from)));

  EXPECT_TRUE(spool.in_memory());
  EXPECT_EQ(all_of(loop, *spool.body()), text);
  EXPECT_EQ(all_of(loop, *spool.body()), text);
}

TEST(Spool, PutsWhatIsMoreThanItsMemoryIntoAFile) {
  event::Loop loop;
  Spool spool(loop, {.memory_bytes = 1000});
  const std::string text = pattern(3'000'001);
  const http::BodyPtr from = http::text_body(text);

  ASSERT_TRUE(wait(loop, spool.fill(*from)));

  EXPECT_FALSE(spool.in_memory());
  EXPECT_EQ(spool.size(), text.size());
  EXPECT_EQ(spool.body()->length(), text.size());
  EXPECT_EQ(all_of(loop, *spool.body()), text);
  EXPECT_EQ(all_of(loop, *spool.body()), text);
}

TEST(Spool, RefusesMoreThanItsLimit) {
  event::Loop loop;
  Spool spool(loop, {.max_bytes = 10});
  const http::BodyPtr from = http::text_body("eleven byte");

  const Result<> filled = wait(loop, spool.fill(*from));

  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().status, 413);
  EXPECT_EQ(filled.error().detail, "the body is larger than 10 bytes");
}

TEST(Spool, AnEmptyBodyIsRead) {
  event::Loop loop;
  const Spool spool(loop, {});

  EXPECT_EQ(all_of(loop, *spool.body()), "");
}

TEST(Tee, AReaderThatStopsMidwayIsFollowedByOneThatBeginsAgain) {
  event::Loop loop;
  const std::string text = pattern(900'000);
  const auto tee = std::make_shared<Tee>(http::text_body(text), loop, SpoolLimits{.memory_bytes = 1000});
  {
    const http::BodyPtr first = tee->body();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(wait(loop, first->read(50'000)));
  }
  ASSERT_TRUE(tee->replayable());
  EXPECT_FALSE(tee->complete());

  const http::BodyPtr second = tee->body();

  EXPECT_EQ(second->length(), text.size());
  EXPECT_EQ(all_of(loop, *second), text);
  EXPECT_TRUE(tee->complete());
}

TEST(Tee, TheCopyOutlivesTheSource) {
  event::Loop loop;
  auto tee = std::make_shared<Tee>(http::text_body("mirrored"), loop, SpoolLimits{});
  EXPECT_EQ(all_of(loop, *tee->body()), "mirrored");
  ASSERT_TRUE(tee->complete());
  tee->drop_source();

  const http::BodyPtr copy = tee->body();
  tee.reset();

  EXPECT_EQ(all_of(loop, *copy), "mirrored");
}

TEST(Tee, ABodyAboveTheLimitPassesButCannotBeSentAgain) {
  event::Loop loop;
  const std::string text = pattern(100'000);
  const auto tee = std::make_shared<Tee>(http::text_body(text), loop, SpoolLimits{.max_bytes = 60'000});

  EXPECT_EQ(all_of(loop, *tee->body()), text);

  EXPECT_FALSE(tee->replayable());
}

TEST(Tee, WithoutCopyingItCanBeSentAgainUntilSomethingWasRead) {
  event::Loop loop;
  const auto tee = std::make_shared<Tee>(http::text_body("abc"), loop, SpoolLimits{});
  tee->stop_copying();
  {
    const http::BodyPtr unread = tee->body();
  }
  EXPECT_TRUE(tee->replayable());

  EXPECT_EQ(all_of(loop, *tee->body()), "abc");

  EXPECT_FALSE(tee->replayable());
}

}  // namespace
}  // namespace fairlead::exchange
