#pragma once

#include "engine/base/frame_pool.h"
#include "engine/base/result.h"
#include "engine/http/fields.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::codec::h1 {

// Bounds on what a chunked body may carry besides its data; more is refused.
inline constexpr std::size_t kMaxChunkLineBytes = 4096;        // one size line, extensions included
inline constexpr std::size_t kMaxChunkExtensionBytes = 16384;  // all extensions of one body
inline constexpr std::size_t kMaxTrailerBytes = 16384;         // the whole trailer section
inline constexpr std::size_t kMaxTrailerFields = 100;

// Takes a chunked body apart (RFC 9112 §7.1), strictly, however the bytes are cut into reads.
// Extensions are checked and dropped: they are hop-by-hop (§7.1.1).
class ChunkedDecoder {
 public:
  // `fault` names the sender: Client (errors are 400) or Upstream (502). Trailer fields go to `trailers`,
  // owned by the caller, without those that http::is_forbidden_trailer() names; nullptr drops them all.
  explicit ChunkedDecoder(Fault fault = Fault::Client, http::Fields* trailers = nullptr)
      : fault_(fault), trailers_(trailers) {}
  static void* operator new(std::size_t bytes) { return take_frame(bytes); }
  static void operator delete(void* at, std::size_t bytes) { return_frame(at, bytes); }

  struct Step {
    std::size_t consumed;   // bytes of the input that are dealt with, framing and data
    std::string_view data;  // body bytes: a view into the input
    bool done;              // the body is over; what follows in the input is not part of it
  };

  // Goes on with the next bytes of the connection, until the first piece of data, the end of the body or the
  // end of the input. Call again with what is left. After an error or `done` it must not be called.
  Result<Step> feed(std::string_view bytes);

  bool done() const { return state_ == State::Done; }

 private:
  enum class State : std::uint8_t {
    SizeStart,  // before the first digit
    Size,       // in the digits
    ExtBeforeSemicolon,
    ExtBeforeName,
    ExtName,
    ExtAfterName,  // white space between a name and '=' or ';'
    ExtBeforeValue,
    ExtToken,
    ExtQuoted,
    ExtEscape,  // after a backslash in a quoted string
    ExtAfterValue,
    LineFeed,  // after the CR of the size line
    Data,
    DataReturn,
    DataFeed,
    TrailerStart,  // after the last chunk: an empty line, or trailer fields
    TrailerFeed,   // after a CR in TrailerStart
    Trailer,
    Done,
  };

  std::unexpected<Error> refuse(std::string_view what, std::string_view bytes, std::size_t at) const;
  Result<> size_byte(std::string_view bytes, std::size_t at);
  Result<> extension_byte(std::string_view bytes, std::size_t at);
  Result<std::size_t> trailer(std::string_view bytes);

  Fault fault_;
  State state_ = State::SizeStart;
  std::uint8_t digits_ = 0;
  std::uint16_t line_bytes_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint64_t left_ = 0;  // size being read, then data bytes of the chunk that have not come yet
  http::Fields* trailers_;
  std::string trailer_;  // the trailer section so far
  std::size_t trailer_scanned_ = 0;
};

// "1f4\r\n", at most kMaxChunkHead bytes, before the data of a chunk; the end of what was written. `size` >
// 0.
inline constexpr std::size_t kMaxChunkHead = 18;
char* write_chunk_head(char* to, std::uint64_t size);

// After the data of every chunk.
inline constexpr std::string_view kChunkEnd = "\r\n";
// Ends a body without trailers.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// Appends the last chunk with trailer fields, leaving out those that must not be trailers. False, and nothing
// appended, when a name or value could be taken for a line end: the caller aborts the body.
bool append_last_chunk(std::string& out, const http::Fields& trailers);

}  // namespace fairlead::codec::h1
