# How every folder of the project becomes a target: one warning level, one include rule.
#
#   nimes_room(NAME SOURCES … LINKS …)      a static library; its headers are included by path from the folder's parent
#   nimes_program(NAME SOURCES … LINKS …)   an executable
#   nimes_test(NAME SOURCES … LINKS …)      a Catch2 executable, registered with CTest under its folder's label
#   nimes_fuzzer(NAME SOURCES … LINKS …)    a libFuzzer executable (clang); with gcc the same file replays its corpus
#   nimes_bench(NAME SOURCES … LINKS …)     a Google Benchmark executable, built by the target tests_bench only
#   nimes_script_test(NAME KIND … SCRIPT …) a Python test, registered like nimes_test
#
# For each kind of test the target tests_KIND builds what that kind runs; `programs` are what integration tests and the
# demo start. A plugin is no nimes_program: it says add_dependencies(programs NAME) itself.

add_library(nimes_warnings INTERFACE)
target_compile_options(nimes_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Werror)
if(NIMES_SANITIZE)
  string(REPLACE ";" "," _sanitizers "${NIMES_SANITIZE}")
  add_compile_options(-fsanitize=${_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${_sanitizers})
  if("address" IN_LIST NIMES_SANITIZE)
    # Every check has a descriptor with pointers: three million relocations, 0.3 s of each start of each program.
    string(APPEND CMAKE_EXE_LINKER_FLAGS " -no-pie")
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)  # GCC 12 sees ghosts in instrumented code
  endif()
endif()
if(NIMES_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

foreach(_kind unit vectors fuzz integration bench)
  add_custom_target(tests_${_kind})
endforeach()
add_custom_target(programs)
add_dependencies(tests_integration programs)

function(nimes_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/..)
  target_link_libraries(${name} PUBLIC ${ROOM_LINKS} PRIVATE nimes_warnings ${ROOM_PRIVATE_LINKS})
endfunction()

function(nimes_program name)
  cmake_parse_arguments(PROGRAM "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${PROGRAM_SOURCES})
  target_link_libraries(${name} PRIVATE nimes_warnings ${PROGRAM_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  add_dependencies(programs ${name})
endfunction()

function(nimes_test name)
  cmake_parse_arguments(TEST "" "KIND" "SOURCES;LINKS" ${ARGN})
  if(NOT TEST_KIND)
    set(TEST_KIND unit)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  add_dependencies(tests_${TEST_KIND} ${name})
  target_link_libraries(${name} PRIVATE nimes_warnings nimes_test_main ${TEST_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/${TEST_KIND})
  add_test(NAME ${TEST_KIND}.${name} COMMAND ${name})
  set_tests_properties(${TEST_KIND}.${name} PROPERTIES LABELS ${TEST_KIND} TIMEOUT 600)
endfunction()

function(nimes_fuzzer name)
  cmake_parse_arguments(FUZZ "" "" "SOURCES;LINKS" ${ARGN})
  if(NIMES_FUZZ)
    add_executable(${name} ${FUZZ_SOURCES})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${FUZZ_SOURCES} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cpp)
    add_test(NAME fuzz.${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
  endif()
  target_link_libraries(${name} PRIVATE nimes_warnings ${FUZZ_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fuzz)
  add_dependencies(tests_fuzz ${name})
endfunction()

function(nimes_bench name)
  cmake_parse_arguments(BENCH "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} EXCLUDE_FROM_ALL ${BENCH_SOURCES})
  target_link_libraries(${name} PRIVATE nimes_warnings benchmark::benchmark ${BENCH_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/bench)
  add_dependencies(tests_bench ${name})
endfunction()

# Debian's own interpreter: the one that scripts/setup gives its modules.
function(nimes_script_test name)
  cmake_parse_arguments(TEST "" "KIND;SCRIPT" "ARGUMENTS" ${ARGN})
  add_test(NAME ${TEST_KIND}.${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/${TEST_SCRIPT} ${TEST_ARGUMENTS})
  set_tests_properties(${TEST_KIND}.${name} PROPERTIES LABELS ${TEST_KIND} TIMEOUT 600
                       ENVIRONMENT "NIMES_BUILD=${CMAKE_BINARY_DIR}")
endfunction()
