#include "engine/codec/h2/session_pages.h"

#include "engine/base/assert.h"

#include <sys/mman.h>

#include <cstring>
#include <mutex>
#include <vector>

namespace fairlead::codec::h2 {
namespace {

constexpr std::size_t kAtOnce = 128;  // sessions' pages in one mapping: 1.5 MiB
constexpr std::size_t kKept = 64;     // unused ones that keep their memory

struct Pages {
  std::mutex mutex;
  std::vector<char*> unused;
};

// Never destroyed: sessions may outlive whatever would do it.
Pages& all() {
  static Pages& pages = *new Pages;
  return pages;
}

void map_more(std::vector<char*>& unused) {
  constexpr std::size_t kBytes = kAtOnce * kSessionBytes;
  void* const at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  FL_ASSERT(at != MAP_FAILED, "without memory nothing goes on");
  // One huge page would keep all of them in memory.
  ::madvise(at, kBytes, MADV_NOHUGEPAGE);
  for (std::size_t i = kAtOnce; i-- > 0;) unused.push_back(static_cast<char*>(at) + i * kSessionBytes);
}

}  // namespace

char* take_session_pages() {
  Pages& pages = all();
  const std::lock_guard lock(pages.mutex);
  if (pages.unused.empty()) map_more(pages.unused);
  char* const taken = pages.unused.back();
  pages.unused.pop_back();
  return taken;
}

void return_session_pages(char* returned, bool clean) {
  Pages& pages = all();
  const std::lock_guard lock(pages.mutex);
  if (!clean && pages.unused.size() < kKept)
    std::memset(returned, 0, kSessionBytes);
  else if (!clean)
    drop_session_pages(returned);
  pages.unused.push_back(returned);
}

void drop_session_pages(char* pages) { ::madvise(pages, kSessionBytes, MADV_DONTNEED); }

}  // namespace fairlead::codec::h2
