# The example on a page of the documentation is the one that is compiled.
#
# cmake -D EXAMPLE=first.cpp -D PAGE=library.md -P test_docs.cmake
file(READ ${EXAMPLE} example)
file(READ ${PAGE} page)
string(FIND "${page}" "```cpp\n${example}```" position)
if(position EQUAL -1)
  message(FATAL_ERROR "${PAGE} does not contain ${EXAMPLE} as it is: copy it there")
endif()
