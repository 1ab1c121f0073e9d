#include "engine/middleware/compress.h"

#include "engine/base/memory_budget.h"
#include "engine/middleware/compressor.h"
#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"

#include <brotli/decode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;

std::string unzip(std::string_view bytes) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(1'000'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  inflate(&stream, Z_SYNC_FLUSH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}
std::string unbrotli(std::string_view bytes) {
  std::string out(1'000'000, '\0');
  std::size_t size = out.size();
  BrotliDecoderDecompress(bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()), &size,
                          reinterpret_cast<std::uint8_t*>(out.data()));
  out.resize(size);
  return out;
}
std::string unzstd(std::string_view bytes) {
  std::string out(1'000'000, '\0');
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_decompressStream(context, &to, &in);
  ZSTD_freeDCtx(context);
  out.resize(to.pos);
  return out;
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919) + ' ';
  return text;
}

test::StubService page(std::string text, std::string_view type = "text/html") {
  return test::StubService([text = std::move(text), type](Exchange& x) {
    Response response(x.arena());
    response.head.fields.add("Content-Type", type);
    response.head.fields.add("Content-Length", std::to_string(text.size()));
    response.head.content_length = text.size();
    response.body = http::text_body(x.arena().copy(text));
    return response;
  });
}

TEST(Compress, CountsAsBufferedBytesAndPassesBodiesAsTheyAreWhenThoseAreUsedUp) {
  const test::Made made("compress", {{"", "true"}});
  ASSERT_TRUE(made) << made.error();
  const std::string text = long_text();
  MemoryBudget& budget = MemoryBudget::instance();
  const std::size_t before = budget.used();
  const auto coding = [&] {
    auto x = test::get("/");
    x.header("Accept-Encoding", "zstd");
    return std::string(test::run(*made, x, page(text)).head.fields.get("Content-Encoding"));
  };

  {
    const CompressorPtr held = make_compressor(Coding::Zstd);
    EXPECT_GE(budget.used(), before + 500'000);
    budget.set_limit(before + 900'000);
    EXPECT_EQ(coding(), "");
  }

  EXPECT_EQ(budget.used(), before);
  EXPECT_EQ(coding(), "zstd");
  budget.set_limit(0);
}

TEST(Compress, EachEncodingGivesTheSameBytesBack) {
  const test::Made made("compress", {{"", "true"}});
  ASSERT_TRUE(made) << made.error();
  const std::string text = long_text();
  for (const auto& [name, decode] : {std::pair{"gzip", &unzip}, {"br", &unbrotli}, {"zstd", &unzstd}}) {
    for (int again = 0; again < 2; ++again) {
      auto x = test::get("/");
      x.header("Accept-Encoding", name);

      const Response response = test::run(*made, x, page(text));

      EXPECT_EQ(response.head.fields.get("Content-Encoding"), name);
      EXPECT_EQ(response.head.fields.get("Vary"), "Accept-Encoding");
      EXPECT_FALSE(response.head.fields.has("Content-Length"));
      EXPECT_FALSE(response.head.content_length);
      const std::string encoded = test::text_of(response.body);
      EXPECT_LT(encoded.size(), text.size() * 2 / 3);
      EXPECT_EQ(decode(encoded), text);
    }
  }
}

TEST(Compress, SmallBodiesPassAsTheyAre) {
  const test::Made made("compress", {{"minResponseBodyBytes", "1000"}});
  auto x = test::get("/");
  x.header("Accept-Encoding", "gzip");

  const Response response = test::run(*made, x, page(std::string(999, 'a')));

  EXPECT_FALSE(response.head.fields.has("Content-Encoding"));
  EXPECT_EQ(response.head.content_length, 999u);
  EXPECT_EQ(test::text_of(response.body), std::string(999, 'a'));
}

TEST(Compress, AStreamIsFlushedChunkByChunk) {
  const test::Made made("compress", {{"", "true"}});
  auto x = test::get("/");
  x.header("Accept-Encoding", "gzip");
  const test::StubService events([](Exchange& own) {
    Response response(own.arena());
    response.flush_each = true;
    response.head.chunked = true;
    response.head.fields.add("Content-Type", "text/event-stream");
    response.body = test::chunks({"data: 1\n\n", "data: 2\n\n", "!"});
    return response;
  });

  const Response response = test::run(*made, x, events);

  auto first = response.body->read(4096);
  first.start(nullptr);
  const std::string begun(first.take()->bytes);
  EXPECT_EQ(unzip(begun), "data: 1\n\n");
  auto second = response.body->read(4096);
  second.start(nullptr);
  EXPECT_EQ(unzip(begun + std::string(second.take()->bytes)), "data: 1\n\ndata: 2\n\n");
  auto third = response.body->read(4096);
  third.start(nullptr);
  EXPECT_FALSE(third.take()) << "an incomplete body must not end as if it were whole";
}

TEST(Compress, WaitsForTheThresholdWhenTheLengthIsUnknown) {
  const test::Made made("compress", {{"minResponseBodyBytes", "10"}});
  for (const bool enough : {false, true}) {
    auto x = test::get("/");
    x.header("Accept-Encoding", "gzip");
    const test::StubService service([enough](Exchange& own) {
      Response response(own.arena());
      response.head.chunked = true;
      response.body = enough ? test::chunks({"12345", "67890", "!"}) : test::chunks({"12345", "6789"});
      return response;
    });

    const Response response = test::run(*made, x, service);

    EXPECT_EQ(response.head.fields.has("Content-Encoding"), enough);
    if (!enough) EXPECT_EQ(test::text_of(response.body), "123456789");
  }
}

TEST(Compress, LeavesAloneWhatMustNotBeTouched) {
  const test::Made made("compress", {{"", "true"}});
  const std::string text(5000, 'a');
  const auto untouched = [&](test::TestExchange x, const test::StubService& service) {
    x.header("Accept-Encoding", "gzip");
    const Response response = test::run(*made, x, service);
    EXPECT_NE(response.head.fields.get("Content-Encoding"), "gzip");
    return test::text_of(response.body) == text;
  };
  const auto with = [&](std::string_view name, std::string_view value, int status) {
    return test::StubService([=, &text](Exchange& x) {
      Response response(x.arena());
      response.head.status = status;
      response.head.fields.add(name, value);
      response.head.content_length = text.size();
      response.body = http::text_body(text);
      return response;
    });
  };

  EXPECT_TRUE(untouched(test::request("HEAD", "/"), page(text)));
  EXPECT_TRUE(untouched(test::get("/"), page(text, "application/grpc")));
  EXPECT_TRUE(untouched(test::get("/"), page(text, "application/grpc+proto")));
  EXPECT_TRUE(untouched(test::get("/"), page(text, "not a type")));
  EXPECT_TRUE(untouched(test::get("/"), with("Content-Encoding", "br", 200)));
  EXPECT_TRUE(untouched(test::get("/"), with("Content-Range", "bytes 0-9/90", 206)));
}

TEST(Compress, AnUpgradePassesWithoutVary) {
  const test::Made made("compress", {{"", "true"}});
  auto x = test::get("/");
  x.header("Accept-Encoding", "gzip");
  x.request.upgrade = "websocket";

  const Response response = test::run(*made, x, page(std::string(5000, 'a')));

  EXPECT_FALSE(response.head.fields.has("Vary"));
}

TEST(Compress, IncludedTypesAreTheOnlyOnes) {
  const test::Made made("compress", {{"includedContentTypes", "application/json,text/html; charset=utf-8"}});
  ASSERT_TRUE(made) << made.error();
  const auto encoded = [&](std::string_view type) {
    auto x = test::get("/");
    x.header("Accept-Encoding", "gzip");
    return test::run(*made, x, page(std::string(5000, 'a'), type)).head.fields.has("Content-Encoding");
  };

  EXPECT_TRUE(encoded("Application/JSON; charset=utf-8"));
  EXPECT_TRUE(encoded("text/html; charset=utf-8"));
  EXPECT_TRUE(encoded("text/html")) << "parameters do not count";
  EXPECT_FALSE(encoded("image/png"));
}

TEST(Compress, LeavesATypeAloneWhoseParameterHasTwoValues) {
  const test::Made made("compress", {{"", "true"}});
  const auto encoded = [&](std::string_view type) {
    auto x = test::get("/");
    x.header("Accept-Encoding", "gzip");
    return test::run(*made, x, page(std::string(5000, 'a'), type)).head.fields.has("Content-Encoding");
  };

  EXPECT_FALSE(encoded("text/html; charset=utf-8; Charset=latin1"));
  EXPECT_TRUE(encoded("text/html; charset=utf-8; Charset=\"utf\\-8\""));
}

TEST(Compress, RefusesOptionsThatCannotBe) {
  EXPECT_THAT(test::Made("compress", {{"encodings", "gzip,lzma"}}).error(),
              testing::StartsWith("encodings: "));
  EXPECT_THAT(test::Made("compress", {{"defaultEncoding", "br"}, {"encodings", "gzip"}}).error(),
              testing::StartsWith("defaultEncoding: "));
  EXPECT_THAT(
      test::Made("compress", {{"excludedContentTypes", "a/b"}, {"includedContentTypes", "c/d"}}).error(),
      testing::StartsWith("excludedContentTypes: "));
  EXPECT_THAT(test::Made("compress", {{"excludedContentTypes", "a b"}}).error(),
              testing::StartsWith("excludedContentTypes: "));
}

}  // namespace
}  // namespace fairlead::middleware
