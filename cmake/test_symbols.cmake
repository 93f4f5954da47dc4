# The core uses no exceptions, no run-time type information, no allocation and no
# guarded statics: the library must not ask for a symbol of the C++ run-time library.
#
# cmake -D NM=nm -D LIBRARY=libidgen_core.a -P test_symbols.cmake
execute_process(COMMAND ${NM} -u ${LIBRARY} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "U +(__cxa_[a-z_]+|__gxx[a-z_0-9]+|_Zn[wa][A-Za-z0-9_]*|_Zd[la][A-Za-z0-9_]*|_ZNS[ts0-9][A-Za-z0-9_]*|_ZTV[A-Za-z0-9_]*|malloc|free)"
       found "${symbols}")
if(found)
  message(FATAL_ERROR "the core must not need these: ${found}")
endif()
if(NOT symbols MATCHES "clock_gettime")
  message(FATAL_ERROR "no symbols were read from ${LIBRARY}")
endif()
