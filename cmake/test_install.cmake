# Runs the commands of the documentation that build and install the library and build a program
# against it, in a copy of what they need; then the service of the examples twice with one mark
# file: the second run must go on above the first.
#
# cmake -D WORK=... -D SOURCE_DIR=... -D PAGE=library.md [-D CONFIG= -D GENERATOR= -D CXX_COMPILER=
#       -D CXX_FLAGS=] -P test_install.cmake
set(work ${WORK})
set(tree ${work}/idgen)
file(REMOVE_RECURSE ${work})
file(COPY ${SOURCE_DIR}/CMakeLists.txt ${SOURCE_DIR}/cmake ${SOURCE_DIR}/examples DESTINATION ${tree})
file(COPY ${SOURCE_DIR}/src/core ${SOURCE_DIR}/src/registry DESTINATION ${tree}/src)

# The shell commands of one section.
file(READ ${PAGE} page)
string(REPLACE ";" "\\;" page "${page}")
string(REGEX MATCH "\n## Build and install\n.*\n## An example\n" section "${page}")
string(REGEX MATCHALL "```sh\n[^`]*```" blocks "${section}")
list(LENGTH blocks count)
if(count LESS 2)
  message(FATAL_ERROR "${PAGE} has ${count} blocks of commands where two are known to be")
endif()
foreach(block IN LISTS blocks)
  string(REGEX REPLACE "^```sh\n|```$" "" commands "${block}")
  message("${commands}")
  # What is installed goes below HOME, and no file of the build tree is touched.
  execute_process(COMMAND ${CMAKE_COMMAND} -E env HOME=${work} CXX=${CXX_COMPILER}
                          "CXXFLAGS=${CXX_FLAGS}" "CMAKE_GENERATOR=${GENERATOR}" sh -euc "${commands}"
                  WORKING_DIRECTORY ${tree} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# What the other example prints are the last IDs of its threads.
find_program(example NAMES idgen_threads NO_DEFAULT_PATH REQUIRED
             PATHS ${tree}/build/examples ${tree}/build/examples/${CONFIG})
execute_process(COMMAND ${example} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
if(NOT output MATCHES "^([1-9][0-9]+\n)+$")
  message(FATAL_ERROR "no IDs in the output of idgen_threads: ${output}")
endif()

# The service is in a folder of the configuration's name with some generators.
find_program(service NAMES idgen_service NO_DEFAULT_PATH REQUIRED
             PATHS ${tree}/build/examples ${tree}/build/examples/${CONFIG})
function(run_service smallest largest)
  execute_process(COMMAND ${service} ${work}/mark OUTPUT_VARIABLE output
                  COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
  message("${output}")
  if(NOT output MATCHES "smallest +([0-9]+).*largest +([0-9]+)")
    message(FATAL_ERROR "no IDs in the service's output")
  endif()
  set(${smallest} ${CMAKE_MATCH_1} PARENT_SCOPE)
  set(${largest} ${CMAKE_MATCH_2} PARENT_SCOPE)
endfunction()

run_service(first_smallest first_largest)
run_service(second_smallest second_largest)
# As texts of one length: CMake's numbers are not exact at 64 bits.
if(NOT second_smallest STRGREATER first_largest)
  message(FATAL_ERROR "the second run began at ${second_smallest}, below ${first_largest}")
endif()

# A mark that cannot be read must stop the service, and not make it begin anew.
file(WRITE ${work}/mark "not a number\n")
execute_process(COMMAND ${service} ${work}/mark RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
if(result EQUAL 0)
  message(FATAL_ERROR "the service accepted a damaged mark file")
endif()
