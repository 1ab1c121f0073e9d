#pragma once

#include <cstddef>

namespace fairlead::tls {

// From now on every thread keeps what OpenSSL frees and gives it out again: one handshake takes and returns
// some 750 small blocks, which costs the heap 5 % of the handshake. To be called before anything else of
// OpenSSL; without effect after that, and in a sanitized build, which is to see the end of each block.
void keep_library_memory();

// What OpenSSL is then given. A block may be given back by another thread than it was taken by.
void* take_library_block(std::size_t bytes);  // null for no bytes, and when there is no memory
void give_library_block(void* at);            // null: nothing

}  // namespace fairlead::tls
