# room(<path>): the library fl_<name> of all sources below <path>, linked with every room declared before it,
# and the test program bin/<name>_test of the *_test.cpp files beside them.

set(FAIRLEAD_ROOMS "" CACHE INTERNAL "Rooms declared so far, lowest first")

# Rooms whose files take far longer to read their headers than to be compiled. With FAIRLEAD_UNITY eight of them are
# compiled together, which halves a clean build; so no two files of such a room may call two things by one name. The
# working build compiles each file alone: there a change of one file is what counts. The innermost rooms of the request
# path stay apart: the profile (cmake/Profile.cmake) knows a file's own functions by the file they are compiled in.
set(FAIRLEAD_BESIDE_ROOMS model admin runtime providers acme cmd)  # beside the request path
set(FAIRLEAD_UNITY_ROOMS ${FAIRLEAD_BESIDE_ROOMS} middleware observe schema tcp telemetry tls udp upstream)

# Rooms that no request passes and no large configuration waits for. Optimising their half of the code once more at
# link time took a minute of a clean release build.
set(FAIRLEAD_COLD_ROOMS admin providers acme cmd)

# The precompiled headers. REUSE_FROM demands equal flags, which Toolchain.cmake sees to.
file(WRITE ${CMAKE_BINARY_DIR}/pch/pch.cpp.in "// Exists only to own the precompiled header.\n")
configure_file(${CMAKE_BINARY_DIR}/pch/pch.cpp.in ${CMAKE_BINARY_DIR}/pch/pch.cpp COPYONLY)
add_library(fl_pch STATIC ${CMAKE_BINARY_DIR}/pch/pch.cpp)
target_link_libraries(fl_pch PUBLIC fl_third)
target_precompile_headers(fl_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
if(FAIRLEAD_UNITY)
  # Half of the time of the joined files went into reading these headers: 180 s of compiler time, 105 s with it.
  add_library(fl_beside_pch STATIC ${CMAKE_BINARY_DIR}/pch/pch.cpp)
  target_link_libraries(fl_beside_pch PUBLIC fl_third)
  target_precompile_headers(fl_beside_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/beside_pch.h)
endif()

if(FAIRLEAD_TESTS)
  find_package(GTest REQUIRED)
  add_library(fl_test_pch STATIC ${CMAKE_BINARY_DIR}/pch/pch.cpp)
  target_link_libraries(fl_test_pch PUBLIC fl_third GTest::gtest GTest::gmock GTest::gmock_main)
  target_precompile_headers(fl_test_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h <gtest/gtest.h> <gmock/gmock.h>)
  if(FAIRLEAD_SANITIZE)
    # Compiling the instrumented tests takes far longer than running them.
    target_compile_options(fl_test_pch PRIVATE -O0)
  endif()
endif()

# unit_test(<name> <sources> <libraries>)
function(unit_test name sources libraries)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${libraries} fl_test_third GTest::gtest GTest::gmock GTest::gmock_main)
  target_precompile_headers(${name} REUSE_FROM fl_test_pch)
  if(FAIRLEAD_SANITIZE)
    target_compile_options(${name} PRIVATE -O0)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  # One ctest entry per program: starting a process per case would cost more than the cases do.
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

function(room path)
  cmake_path(GET path FILENAME name)
  set(library fl_${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${path}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")

  if(sources)
    add_library(${library} STATIC ${sources})
    set(scope PUBLIC)
    if(FAIRLEAD_UNITY AND name IN_LIST FAIRLEAD_UNITY_ROOMS)
      set_target_properties(${library} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    endif()
    if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND name IN_LIST FAIRLEAD_COLD_ROOMS)
      set_target_properties(${library} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
      target_compile_options(${library} PRIVATE -ffunction-sections -fdata-sections)
    endif()
    if(FAIRLEAD_UNITY AND name IN_LIST FAIRLEAD_BESIDE_ROOMS)
      target_precompile_headers(${library} REUSE_FROM fl_beside_pch)
    else()
      target_precompile_headers(${library} REUSE_FROM fl_pch)
    endif()
  else()
    add_library(${library} INTERFACE)
    set(scope INTERFACE)
  endif()
  # Highest first, as a linker that reads archives once wants them.
  set(below ${FAIRLEAD_ROOMS})
  list(REVERSE below)
  target_link_libraries(${library} ${scope} ${below} fl_third)
  set(FAIRLEAD_ROOMS ${FAIRLEAD_ROOMS} ${library} CACHE INTERNAL "")

  if(FAIRLEAD_TESTS AND tests)
    unit_test(${name}_test "${tests}" ${library})
  endif()
endfunction()
