# Compiler flags. No -ffast-math: infinities, NaNs and the order of sums keep their meaning.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 11)
  message(FATAL_ERROR "adjoint needs GCC 11 or newer (found ${CMAKE_CXX_COMPILER_VERSION})")
elseif(MSVC)
  message(FATAL_ERROR "adjoint is built with GCC or Clang")
endif()

# The optimisation level is a matter of each target, so the build type sets none.
set(CMAKE_CXX_FLAGS_RELEASE "-DNDEBUG")
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(ADJ_O2 -Og -g)
  set(ADJ_O3 -Og -g)
else()
  set(ADJ_O2 -O2)
  set(ADJ_O3 -O3)
endif()
set(ADJ_NOSTRIP "")

# Without these three GCC leaves loops over libm functions and comparisons scalar.
set(ADJ_VECTOR_FLAGS -fopenmp-simd -fno-math-errno -fno-trapping-math -ffp-contract=fast -fwrapv)

if(ADJOINT_SANITIZE)
  list(JOIN ADJOINT_SANITIZE "," sanitizers)
  # vptr wants type information that hidden visibility takes away.
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize=vptr -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${sanitizers})
  set(ADJ_O2 -O1)
  set(ADJ_O3 -O1)
  set(ADJ_NOSTRIP NOSTRIP)
endif()

# Every operator call reads thread-local state, and the default model calls a function for that. The
# few words that the module keeps per thread fit in the room that glibc reserves for this one.
set(ADJ_TLS "")
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(ADJ_TLS -ftls-model=initial-exec)
endif()

function(adj_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-init-list-lifetime ${ADJ_TLS} ${ARGN})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/core")
endfunction()
