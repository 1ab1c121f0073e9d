# Optimisation of what is shipped, by profile and at link time: a quarter less user time per request than without.
# cmake/profile.tar.xz holds what `./dev profile` counted in a training run. It is a hint that may be older than the
# sources: a function that changed since then is compiled without it.

set(FAIRLEAD_PROFILE "off" CACHE STRING "off, use (cmake/profile.tar.xz) or make (instrumented, for ./dev profile)")

if(NOT FAIRLEAD_PROFILE STREQUAL "off" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND
   CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19)
  # Functions of one file are told apart by its name without folders, so that the profile fits every checkout.
  add_compile_options("SHELL:-mllvm -static-func-full-module-prefix=false")
  if(FAIRLEAD_PROFILE STREQUAL "make")
    add_compile_options(-fprofile-generate)
    add_link_options(-fprofile-generate)
  else()
    set(archive ${CMAKE_SOURCE_DIR}/cmake/profile.tar.xz)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${archive})
    # In a folder of its own for each archive: another one means that everything is compiled anew, since objects of two
    # profiles cannot be linked together.
    file(SHA256 ${archive} counts)
    string(SUBSTRING ${counts} 0 12 counts)
    file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${CMAKE_BINARY_DIR}/profile-${counts})
    add_compile_options(-fprofile-use=${CMAKE_BINARY_DIR}/profile-${counts}/fairlead.profdata -Wno-profile-instr-out-of-date
                        -Wno-profile-instr-unprofiled -Wno-backend-plugin)
  endif()
endif()

# What did not change since the last link is not optimised again.
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(-Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto -Wl,--thinlto-cache-policy=cache_size_bytes=1g)
endif()
