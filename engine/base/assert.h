#pragma once

#include <cstdio>
#include <cstdlib>

// For what our own code guarantees; never for what a peer or a user can send.
#define FL_ASSERT(condition, why)                                                                    \
  do {                                                                                               \
    if (!(condition)) [[unlikely]] {                                                                 \
      std::fprintf(stderr, "%s:%d: broken promise: %s (%s)\n", __FILE__, __LINE__, #condition, why); \
      std::abort();                                                                                  \
    }                                                                                                \
  } while (false)
