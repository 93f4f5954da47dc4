# Installs the library into a folder of the build tree, builds the examples against what
# was installed, and runs the service twice with one mark file: the second run must go on
# above the first.
#
# cmake -D BUILD_DIR=... -D EXAMPLES_DIR=... [-D CONFIG= -D GENERATOR= -D CXX_COMPILER=
#       -D CXX_FLAGS=] -P test_install.cmake
set(work ${BUILD_DIR}/test_install)
file(REMOVE_RECURSE ${work})

execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${work}/prefix
                        --config "${CONFIG}"
                COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
execute_process(COMMAND ${CMAKE_COMMAND} -S ${EXAMPLES_DIR} -B ${work}/build -G ${GENERATOR}
                        -D CMAKE_PREFIX_PATH=${work}/prefix
                        -D CMAKE_BUILD_TYPE=${CONFIG}
                        -D CMAKE_CXX_COMPILER=${CXX_COMPILER}
                        "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}"
                COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${work}/build --config "${CONFIG}"
                COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)

# The service is in a folder of the configuration's name with some generators.
find_program(service NAMES idgen_service NO_DEFAULT_PATH REQUIRED
             PATHS ${work}/build ${work}/build/${CONFIG})
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
