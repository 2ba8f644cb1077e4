# ADJ_LEVELS: the levels to build kernels for. ADJ_MARCH_<level>: the flag of each.
# ADJ_BASE_ISA, ADJ_BASE_MARCH: what the rest of the core is compiled for.

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(ADJ_KNOWN_LEVELS v2 v3 v4)
  set(ADJ_BASE_ISA v2)
else()
  set(ADJ_KNOWN_LEVELS host)
  set(ADJ_BASE_ISA host)
endif()
foreach(level v2 v3 v4)
  set(ADJ_MARCH_${level} -march=x86-64-${level})
endforeach()
set(ADJ_MARCH_host "")
set(ADJ_BASE_MARCH ${ADJ_MARCH_${ADJ_BASE_ISA}})

if(ADJOINT_ISA STREQUAL "all")
  set(ADJ_LEVELS ${ADJ_KNOWN_LEVELS})
  if(ADJOINT_SANITIZE)
    list(GET ADJ_KNOWN_LEVELS 0 ADJ_LEVELS)
  endif()
else()
  set(ADJ_LEVELS ${ADJOINT_ISA})
endif()

list(SORT ADJ_LEVELS) # lowest first: see the order of linking in CMakeLists.txt
foreach(level IN LISTS ADJ_LEVELS)
  if(NOT level IN_LIST ADJ_KNOWN_LEVELS)
    message(FATAL_ERROR "ADJOINT_ISA: no level '${level}' for ${CMAKE_SYSTEM_PROCESSOR}; "
                        "choose among: ${ADJ_KNOWN_LEVELS}")
  endif()
  string(TOUPPER "ADJ_HAVE_${level}" definition)
  add_compile_definitions(${definition}=1)
endforeach()
message(STATUS "adjoint: kernels for ${ADJ_LEVELS}, everything else for ${ADJ_BASE_ISA}")
