#include "engine/tls/library_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace fairlead::tls {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// The heap's own sizes (glibc: a block is a multiple of 16 bytes, 8 of them not usable), so that a block
// tells its class by its usable size and carries nothing more than the heap gave it.
constexpr std::size_t kUnit = 16;
constexpr std::size_t kOverhead = 8;
constexpr std::size_t kClasses = 65;  // up to 1 KiB; what is larger is rare in a handshake
constexpr std::size_t kLargest = (kClasses - 1) * kUnit - kOverhead;
constexpr std::size_t kKeptBytes = 8 * 1024;  // of each class and thread: at most half a megabyte in all

struct FreeBlock {
  FreeBlock* next;
};

// Without constructor and destructor: every access would have to look whether they ran.
struct FreeLists {
  std::array<FreeBlock*, kClasses> first;
  std::array<std::uint32_t, kClasses> bytes;
  bool open;  // between the thread's first free and its end
  bool ended;
};
constinit thread_local FreeLists lists{};

struct Ending {
  ~Ending() {
    lists.open = false;
    lists.ended = true;  // OpenSSL frees what it kept for a thread later than this
    for (FreeBlock*& block : lists.first)
      while (block) std::free(std::exchange(block, block->next));
  }
};

void open_lists() {
  if (lists.ended) return;
  thread_local Ending ending;
  lists.open = true;
}

void* take(std::size_t bytes, const char*, int) { return take_library_block(bytes); }
void give(void* at, const char*, int) { give_library_block(at); }
void* take_again(void* at, std::size_t bytes, const char*, int) {
  if (bytes != 0) return std::realloc(at, bytes);
  std::free(at);
  return nullptr;
}

}  // namespace

void* take_library_block(std::size_t bytes) {
  if (bytes - 1 >= kLargest) [[unlikely]]
    return bytes == 0 ? nullptr : std::malloc(bytes);
  const std::size_t size_class = (bytes + kOverhead + kUnit - 1) / kUnit;
  FreeBlock* block = lists.first[size_class];
  if (!block) [[unlikely]]
    return std::malloc(bytes);
  lists.first[size_class] = block->next;
  lists.bytes[size_class] -= static_cast<std::uint32_t>(size_class * kUnit);
  return block;
}

void give_library_block(void* at) {
  if (!at) return;
  if (!lists.open) [[unlikely]]
    open_lists();
  const std::size_t block_bytes = ::malloc_usable_size(at) + kOverhead;
  const std::size_t size_class = block_bytes / kUnit;
  if (size_class >= kClasses || lists.bytes[size_class] >= kKeptBytes || !lists.open) [[unlikely]]
    return std::free(at);
  auto* block = static_cast<FreeBlock*>(at);
  block->next = lists.first[size_class];
  lists.first[size_class] = block;
  lists.bytes[size_class] += static_cast<std::uint32_t>(size_class * kUnit);
}

void keep_library_memory() {
  if (!kSanitized) ::CRYPTO_set_mem_functions(take, take_again, give);
}

}  // namespace fairlead::tls
