#include "cmd/fairlead/run.h"
#include "engine/tls/library_memory.h"

#include <string>
#include <vector>

// Called before the initialisers of the shared libraries: libssl's own takes memory, after which OpenSSL asks
// for no other allocator any more.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const before_libraries)() = fairlead::tls::keep_library_memory;

int main(int argc, char** argv) {
  return fairlead::cmd::run(std::vector<std::string>(argv + 1, argv + argc));
}
