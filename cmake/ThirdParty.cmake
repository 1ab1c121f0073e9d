# Libraries of the distribution, gathered in one target for the program and one for what tests need beside it. They are
# linked by name: every one of them lives in the default search path, and not all of Debian's packages carry CMake or
# pkg-config files.

add_library(fl_third INTERFACE)
add_library(fl_test_third INTERFACE)

# third_party(<library> <header> <Debian package> [<target>])
function(third_party library header package)
  find_library(LIB_${library} ${library})
  find_path(INC_${library} ${header})
  mark_as_advanced(LIB_${library} INC_${library})
  if(NOT LIB_${library} OR NOT INC_${library})
    message(FATAL_ERROR "lib${library} or its header ${header} is missing: apt-get install ${package}")
  endif()
  set(target ${ARGN} fl_third)
  list(GET target 0 target)
  target_link_libraries(${target} INTERFACE ${LIB_${library}})
endfunction()

third_party(spdlog spdlog/spdlog.h libspdlog-dev)
third_party(fmt fmt/format.h libfmt-dev)
third_party(curl curl/curl.h libcurl4-openssl-dev)
third_party(ssl openssl/ssl.h libssl-dev)
third_party(crypto openssl/evp.h libssl-dev)
third_party(re2 re2/re2.h libre2-dev)
third_party(fyaml libfyaml.h libfyaml-dev)
third_party(nghttp2 nghttp2/nghttp2.h libnghttp2-dev)
third_party(cares ares.h libc-ares-dev)
third_party(z zlib.h zlib1g-dev)
third_party(brotlienc brotli/encode.h libbrotli-dev)
third_party(brotlidec brotli/decode.h libbrotli-dev)
third_party(brotlicommon brotli/types.h libbrotli-dev)
third_party(zstd zstd.h libzstd-dev)
third_party(crypt crypt.h libcrypt-dev)
third_party(hiredis hiredis/hiredis.h libhiredis-dev)

function(header_only header package)
  string(MAKE_C_IDENTIFIER "INC_${header}" variable)
  find_path(${variable} ${header})
  mark_as_advanced(${variable})
  if(NOT ${variable})
    message(FATAL_ERROR "${header} is missing: apt-get install ${package}")
  endif()
endfunction()

header_only(toml++/toml.h libtomlplusplus-dev)
header_only(nlohmann/json.hpp nlohmann-json3-dev)
header_only(protozero/pbf_writer.hpp libprotozero-dev)
if(FAIRLEAD_TESTS)
  third_party(cpp-httplib httplib.h libcpp-httplib-dev fl_test_third)
endif()

set(THREADS_PREFER_PTHREAD_FLAG OFF)
find_package(Threads REQUIRED)
target_link_libraries(fl_third INTERFACE Threads::Threads)

# Debian builds spdlog as a library that uses the separate libfmt.
target_compile_definitions(fl_third INTERFACE SPDLOG_COMPILED_LIB SPDLOG_SHARED_LIB SPDLOG_FMT_EXTERNAL FMT_SHARED)
