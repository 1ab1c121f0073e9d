#pragma once

#include <cstddef>

namespace fairlead::codec::h2 {

// Memory on pages of its own, which can be given back to the system and taken again at the same address.
inline constexpr std::size_t kSessionBytes = 3 * 4096;

// kSessionBytes of zeros, at a page's beginning. From any thread.
char* take_session_pages();
// `clean`: they are all zeros, as after drop_session_pages().
void return_session_pages(char* pages, bool clean);
// They stay where they are, read as zeros, and take no memory until they are written to.
void drop_session_pages(char* pages);

}  // namespace fairlead::codec::h2
