#include "engine/exchange/spool.h"

#include "engine/base/fd.h"
#include "engine/base/memory_budget.h"
#include "engine/event/offload.h"
#include "engine/http/fields.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace fairlead::exchange {
namespace {

// One write or read of the file: large enough that a hop to the lane and back does not count.
constexpr std::size_t kFileStep = 256 * 1024;

std::unexpected<Error> file_failed(const char* what) {
  return fail(500, Fault::Proxy, std::string("temporary file: ") + what + ": " + std::strerror(errno));
}

// Never has a name where that is possible, so that nothing stays behind whatever happens.
Result<Fd> open_unlinked() {
  const char* set = std::getenv("TMPDIR");
  const std::string folder = set && *set ? set : "/tmp";
  Fd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600));
  if (file) return file;
  std::string name = folder + "/fairlead-XXXXXX";
  file = Fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return file_failed("open");
  ::unlink(name.c_str());
  return file;
}

Result<> write_all(int file, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const auto wrote = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return file_failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
    at += static_cast<std::uint64_t>(wrote);
  }
  return {};
}

Result<std::string> read_some(int file, std::size_t bytes, std::uint64_t at) {
  std::string out(bytes, '\0');
  while (true) {
    const auto got = ::pread(file, out.data(), bytes, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return file_failed("read");
    out.resize(static_cast<std::size_t>(got));
    return out;
  }
}

}  // namespace

struct Spool::Contents {
  Contents() = default;
  Contents(const Contents&) = delete;
  Contents& operator=(const Contents&) = delete;
  ~Contents() { MemoryBudget::instance().remove(counted); }
  void count() {
    const std::size_t now = memory.capacity() + waiting.capacity();
    MemoryBudget::instance().add(now - counted);  // modulo 2^64: also when it became less
    counted = now;
  }

  std::string memory;        // the beginning
  std::string waiting;       // follows what the file has
  std::shared_ptr<Fd> file;  // shared with work on the lane; null until the first spill
  std::uint64_t file_bytes = 0;
  std::optional<http::Fields> trailers;
  std::size_t counted = 0;  // in the budget of buffered bytes

  std::uint64_t size() const { return memory.size() + file_bytes + waiting.size(); }
};

namespace {

template <class Contents>
class SpoolBody final : public http::Body {
 public:
  SpoolBody(std::shared_ptr<const Contents> contents, event::Loop& loop)
      : contents_(std::move(contents)),
        loop_(loop),
        trailers_(contents_->trailers),
        end_(contents_->size()) {}

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override {
    if (at_ < contents_->memory.size() || at_ == end_) {
      const auto bytes =
          std::string_view(contents_->memory).substr(std::min(at_, contents_->memory.size()), max_bytes);
      return Task<Result<http::Chunk>>::ready(take(bytes));
    }
    if (!left_.empty()) return Task<Result<http::Chunk>>::ready(take_read(max_bytes));
    return read_file(max_bytes);
  }
  std::optional<std::uint64_t> length() const override { return end_ - at_; }
  http::Fields* trailers() override { return trailers_ ? &*trailers_ : nullptr; }

 private:
  http::Chunk take(std::string_view bytes) {
    at_ += bytes.size();
    return {bytes, at_ == end_};
  }
  http::Chunk take_read(std::size_t max_bytes) {
    const std::string_view bytes = left_.substr(0, max_bytes);
    left_.remove_prefix(bytes.size());
    return take(bytes);
  }
  Task<Result<http::Chunk>> read_file(std::size_t max_bytes) {
    const std::uint64_t offset = at_ - contents_->memory.size();
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(kFileStep, end_ - at_));
    Result<std::string> got = co_await event::Offload::shared().run(
        loop_, event::Lane::Files,
        [file = contents_->file, bytes, offset] { return read_some(file->get(), bytes, offset); });
    if (!got) co_return std::unexpected(std::move(got.error()));
    read_ = std::move(*got);
    left_ = read_;
    co_return take_read(max_bytes);
  }

  std::shared_ptr<const Contents> contents_;
  event::Loop& loop_;
  std::optional<http::Fields> trailers_;  // its own: readers strike out lines
  std::string read_;                      // the step of the file that is being handed out
  std::string_view left_;                 // of read_
  std::size_t at_ = 0;
  std::size_t end_;
};

}  // namespace

Spool::Spool(event::Loop& loop, SpoolLimits limits)
    : contents_(std::make_shared<Contents>()), loop_(&loop), limits_(limits) {}
Spool::~Spool() = default;
Spool::Spool(Spool&&) noexcept = default;

std::uint64_t Spool::size() const { return contents_->size(); }
bool Spool::in_memory() const { return !contents_->file && contents_->waiting.empty(); }
bool Spool::has_trailers() const { return contents_->trailers.has_value(); }
bool Spool::wants_to_settle() const { return contents_->waiting.size() >= kFileStep; }

bool Spool::put(std::string_view bytes) {
  if (bytes.size() > limits_.max_bytes || contents_->size() > limits_.max_bytes - bytes.size()) return false;
  if (in_memory()) {
    const auto room = static_cast<std::size_t>(limits_.memory_bytes - contents_->memory.size());
    contents_->memory += bytes.substr(0, room);
    bytes.remove_prefix(std::min(room, bytes.size()));
  }
  contents_->waiting += bytes;
  contents_->count();
  return true;
}

Task<Result<>> Spool::settle() {
  Contents& contents = *contents_;
  if (contents.waiting.empty()) co_return Result<>{};
  std::string bytes = std::exchange(contents.waiting, {});
  const std::size_t size = bytes.size();
  Result<std::shared_ptr<Fd>> file = co_await event::Offload::shared().run(
      *loop_, event::Lane::Files,
      [file = contents.file, bytes = std::move(bytes),
       at = contents.file_bytes]() mutable -> Result<std::shared_ptr<Fd>> {
        if (!file) {
          Result<Fd> opened = open_unlinked();
          if (!opened) return std::unexpected(std::move(opened.error()));
          file = std::make_shared<Fd>(std::move(*opened));
        }
        Result<> wrote = write_all(file->get(), bytes, at);
        if (!wrote) return std::unexpected(std::move(wrote.error()));
        return std::move(file);
      });
  if (!file) co_return std::unexpected(std::move(file.error()));
  contents.file = std::move(*file);
  contents.file_bytes += size;
  contents.count();
  co_return Result<>{};
}

std::unexpected<Error> Spool::too_large() const {
  return fail(limits_.too_large_status, Fault::Client,
              fmt::format("the body is larger than {} bytes", limits_.max_bytes));
}

Task<Result<>> Spool::fill(http::Body& from) {
  if (const auto length = from.length(); length && size() + *length > limits_.max_bytes)
    co_return too_large();
  while (true) {
    if (MemoryBudget::instance().exhausted())
      co_return fail(503, Fault::Proxy, "the budget of buffered bytes is used up");
    Result<http::Chunk> chunk = co_await from.read(kFileStep);
    if (!chunk) co_return std::unexpected(std::move(chunk.error()));
    if (!put(chunk->bytes)) co_return too_large();
    const bool last = chunk->last;
    if (last || wants_to_settle()) {
      Result<> settled = co_await settle();
      if (!settled) co_return settled;
    }
    if (!last) continue;
    if (const http::Fields* trailers = from.trailers(); trailers && !trailers->empty())
      contents_->trailers = *trailers;
    co_return Result<>{};
  }
}

http::BodyPtr Spool::body() const { return http::BodyPtr(new SpoolBody<Contents>(contents_, *loop_)); }

}  // namespace fairlead::exchange
